"""The own words of raise_error and assert_true reach whoever reads the error: of leat sql, and in the quarantine. No broker."""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from trial import WORK, check, finish, leat, leat_ok, project

for statement, said in (
    ("SELECT raise_error('the shop sent ' || id) FROM range(3)", "[USER_RAISED_EXCEPTION] the shop sent 0\n"),
    ("SELECT assert_true(id < 2, 'too many') FROM range(3)", "[USER_RAISED_EXCEPTION] too many\n"),
    ("SELECT assert_true(id < 2) FROM range(3)", "[USER_RAISED_EXCEPTION] raise_error or assert_true said so\n"),
):
    check(statement, leat("sql", "-c", statement).problems(3, said))

SPEC = f"""name: shop
storage: {WORK.as_uri()}/storage
libraries: [{{glob: {{include: transformations/**}}}}]
configuration:
  source.a.format: json
  source.a.path: {WORK.as_uri()}/in
  source.a.schema: id INT
  spark.sql.session.timeZone: UTC
"""
SQL = """CREATE STREAMING TABLE raised AS SELECT id, CASE WHEN id = 2 THEN raise_error('two is too many') ELSE '' END AS y FROM STREAM a;
CREATE STREAMING TABLE asserted AS SELECT id, CAST(assert_true(id < 2, 'less than two') AS STRING) AS ok FROM STREAM a;
CREATE STREAMING TABLE computed AS SELECT id, CASE WHEN id = 2 THEN raise_error('not ' || id) ELSE '' END AS y FROM STREAM a;
"""
(WORK / "in").mkdir()
(WORK / "in/a.json").write_text('{"id": 1}\n{"id": 2}\n')
folder = project("shop", SPEC, SQL)
leat_ok("run", folder, "--once")
out = leat_ok("sql", folder, "--format", "json", "-c", "SELECT tables[0] AS name, reason, detail FROM _quarantine").out
rows = {row["name"]: (row["reason"], row["detail"]) for row in map(json.loads, out.splitlines())}
want = {
    "raised": ("USER_RAISED_EXCEPTION", "two is too many"),
    "asserted": ("USER_RAISED_EXCEPTION", "less than two: 2"),
    "computed": ("USER_RAISED_EXCEPTION", "raise_error or assert_true said so: 2"),
}
check("details in the quarantine", [f"{name}: {rows.get(name)}, want {want[name]}" for name in want if rows.get(name) != want[name]])
finish()
