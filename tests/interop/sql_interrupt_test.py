"""SIGINT at a leat sql that nobody types into: it says that the query was stopped, runs no statement behind it, and leaves with 130."""

import signal
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from trial import LEAT, WORK, check, finish

LEAVE_SECONDS = 30  # a fraction of a second where nothing else runs
INTERRUPTED = 130

PAIRS = "SELECT count(*) FROM range(10000000) a JOIN range(10000000) b ON a.id * 31 % 1000 > b.id % 5000"
ENDLESS = {
    "pairs": PAIRS,
    "rows that are given": "SELECT id FROM range(1000000000000)",
    "an array that is sorted": "SELECT sum(sort_array(transform(sequence(1, 900000 + id), x -> x * 7919 % 1000003))[0]) FROM range(90000)",
    "groups": "SELECT percentile(id * 7919 % 1000003, 0.5) FROM range(1000000000000)",
}


def interrupted(sql, words=(), script=None):
    """What it says when it is interrupted while it is at the second statement: the first one's row is there."""
    worker = subprocess.Popen([LEAT, "sql", "--format", "csv", *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if script is not None:
        worker.stdin.write(script)
        worker.stdin.close()
        worker.stdin = None
    head = worker.stdout.readline() + worker.stdout.readline()
    worker.send_signal(signal.SIGINT)
    try:
        out, err = worker.communicate(timeout=LEAVE_SECONDS)
    except subprocess.TimeoutExpired:
        worker.kill()
        worker.communicate()
        return [f"{sql}: goes on"]
    problems = [] if head == "1\n1\n" else [f"{sql}: begins with {head!r}"]
    if worker.returncode != INTERRUPTED:
        problems.append(f"{sql}: left with {worker.returncode}: {err}")
    if "leat: the query was stopped" not in err:
        problems.append(f"{sql}: said {err!r}")
    return problems + ([f"{sql}: went on with the next statement"] if "behind" in out else [])


def script(sql):
    return f"SELECT 1; {sql}; SELECT 'behind'"


for name, sql in ENDLESS.items():
    check(name, interrupted(sql, ("-c", script(sql))))
file = WORK / "pairs.sql"
file.write_text(script(PAIRS))
check("statements of a file", interrupted(PAIRS, (file,)))
check("statements of a pipe", interrupted(PAIRS, script=script(PAIRS)))
finish()
