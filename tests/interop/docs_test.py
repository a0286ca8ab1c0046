"""What the documentation shows is what the program does: the reference pages in docs/ are what `leat docs
PAGE` prints, the README's pipeline and a new project are right, as is every example."""

import difflib
import json
import os
import re
import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from trial import ROOT, WORK, check, finish, leat, project

for page in ("functions", "settings", "connectors"):
    done = leat("docs", page)
    path = ROOT / f"docs/{page}.md"
    lines = list(
        difflib.unified_diff(
            path.read_text().splitlines(),
            done.out.splitlines(),
            path.name,
            f"leat docs {page}",
            lineterm="",
            n=0,
        )
    )
    check(f"docs/{page}.md", done.problems(0) + lines[:20])
check("a page that is not there", leat("docs", "function").problems(2, "function", "settings"))



def conformance_problems():
    """docs/conformance.md is of the tests that there are: each file with as many statements as it has."""
    text = (ROOT / "docs/conformance.md").read_text()
    rows = re.findall(r"^\| (\S+) \| (\d+) \| (\d+) \| (?:out)? ?\|$", text, re.MULTILINE)
    told = {name: int(passed) + int(failed) for name, passed, failed in rows}
    queries = Path(os.environ["CONFORMANCE_DIR"]) / "spark-golden/queries.jsonl"
    counted = Counter(json.loads(line)["file"] for line in queries.open(encoding="utf-8"))
    return [
        f"{name}: {told.get(name, 0)} statements, the tests have {counted[name]}; ./dev conformance --report"
        for name in sorted(told.keys() | counted.keys())
        if told.get(name, 0) != counted[name]
    ]


if os.environ.get("CONFORMANCE_DIR"):
    check("docs/conformance.md", conformance_problems())

blocks = dict(
    reversed(re.findall(r"```(yaml|sql)\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL))
)  # the first of each
check("the README's pipeline", leat("check", project("readme", blocks["yaml"], blocks["sql"])).problems(0))
check("leat init", leat("init", WORK / "new").problems(0) + leat("check", WORK / "new").problems(0))
for example in sorted(path.parent for path in (ROOT / "examples").rglob("spark-pipeline.yml")):
    check(str(example.relative_to(ROOT)), leat("check", example).problems(0))
finish()
