"""The Kafka source against the real broker: transactions, deleted records, absent and re-created topics. The cases are
the unit tests kafka_real_*, which skip themselves without a broker."""
import os
import sys
from pathlib import Path

PROGRAM = Path(__file__).resolve().parents[2] / "build/debug/unit_source"

if not PROGRAM.exists():
    print("build/debug/unit_source is not built\n0 passed, 1 failed")
    sys.exit(1)
os.execv(PROGRAM, [PROGRAM, "kafka_real"])
