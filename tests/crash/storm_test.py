"""A small storm of kills per sink: what ./dev crash does a thousand times. KILLS=n per sink, SEED=n repeats the dice."""
import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "interop"))
import storm
import workloads
from trial import check, finish

KILLS = int(os.environ.get("KILLS", "8"))
SEED = int(os.environ.get("SEED", str(int(time.time()) % 1_000_000)))

points = storm.fail_points()  # which of them a workload passes is not asked here: that takes longer than the storm
for sink, make in workloads.SINKS.items():
    workload = make(str(os.getpid()))
    outcome = storm.storm(workload, SEED, 0, KILLS, points)
    check(f"{sink}: {outcome.kills} kills, seed {SEED}", outcome.findings.texts)
finish()
