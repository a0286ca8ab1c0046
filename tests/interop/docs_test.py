"""The reference pages in docs/ are what the program's own tables say: leat docs PAGE > docs/PAGE.md."""
import difflib
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from trial import ROOT, check, finish, leat

for page in ("functions", "settings", "connectors"):
    done = leat("docs", page)
    path = ROOT / f"docs/{page}.md"
    want = path.read_text() if path.exists() else ""
    lines = list(difflib.unified_diff(want.splitlines(), done.out.splitlines(), path.name, f"leat docs {page}", lineterm="", n=0))
    check(f"docs/{page}.md", done.problems(0) + lines[:20])
check("a page that is not there", leat("docs", "function").problems(2, "function", "settings"))
finish()
