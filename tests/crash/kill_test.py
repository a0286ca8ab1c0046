"""kill -9 at random moments and at every named fail point, then restart: nothing is lost, doubled or torn (kills.py).

One topic, examples/transactions in many small epochs: every (partition, offset) must be once in bronze and in raw_csv,
silver + quarantine the same, gold equal to the undisturbed run.
"""
import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "interop"))
import tables
from kills import BOOTSTRAP, LEAT, ROOT, Workload, finish, schedule, undisturbed, verdict

RECORDS, EPOCHS = 60_000, 12
TOPIC = f"kill-{os.getpid()}"


def contents(root):
    reader = tables.Arrow(root)
    return {
        "bronze": sorted(reader.rows("bronze", ["partition", "offset"])),
        "silver": sorted(reader.rows("silver", ["partition", "offset", "txn_id"])),
        "quarantine": sorted(reader.rows("quarantine", ["partition", "offset", "reason"])),
        "gold": sorted(reader.rows("gold", ["card_id", "window_start", "txn_count", "sum_amount", "avg_amount", "max_amount"])),
        "raw_csv": sorted((row[3], row[4]) for row in tables.csv_rows(root, "raw_csv")),
    }


subprocess.run([LEAT, "produce", "transactions", "--bootstrap", BOOTSTRAP, "--topic", TOPIC, "--count", str(RECORDS),
                "--partitions", "4", "--keys", "500", "--bad-ratio", "0.02", "--late-ratio", "0.05", "--seed", "11",
                "--event-rate", str(RECORDS // 1200)], check=True, stderr=subprocess.DEVNULL)
workload = Workload(
    project=ROOT / "examples/transactions",
    environment={"KAFKA_TOPIC": TOPIC, "MAX_OFFSETS_PER_TRIGGER": str(RECORDS // EPOCHS)},
    contents=contents,
    polled="bronze",
    row_key=("partition", "offset"),
)
undisturbed(workload)
reference = workload.reference
verdict("undisturbed", [] if len(reference["bronze"]) == RECORDS and reference["gold"] else ["the reference run is not whole"])
schedule(workload)
finish()
