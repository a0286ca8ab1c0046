"""What the documentation shows is what the program does: the reference pages in docs/ are what `leat docs
PAGE` prints, the README's pipeline and a new project are right, as is every example."""

import difflib
import re
import sys
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

blocks = dict(
    reversed(re.findall(r"```(yaml|sql)\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL))
)  # the first of each
check("the README's pipeline", leat("check", project("readme", blocks["yaml"], blocks["sql"])).problems(0))
check("leat init", leat("init", WORK / "new").problems(0) + leat("check", WORK / "new").problems(0))
for example in sorted(path.parent for path in (ROOT / "examples").rglob("spark-pipeline.yml")):
    check(str(example.relative_to(ROOT)), leat("check", example).problems(0))
finish()
