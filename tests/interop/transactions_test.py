"""examples/transactions over a real Kafka, with bad and late records: every table equals an independent computation, as
PyArrow and DuckDB read it; Kafka's own tool shows lag 0; the chain's ledger closes.

    RECORDS=5000000 makes the run of the issue; the default keeps the suite short.
"""
import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import oracle
import tables

ROOT = Path(__file__).resolve().parent.parent.parent
RECORDS = int(os.environ.get("RECORDS", "200000"))
EPOCHS = 7  # few enough that no record is trimmed
LEAT = os.environ["LEAT"]
BOOTSTRAP = os.environ["KAFKA_BOOTSTRAP_SERVERS"]
WORK = Path(os.environ["TEST_DIR"])

results = []


def check(name, problems):
    results.append(not problems)
    for problem in problems:
        print(f"{name}: {problem}")


def leat(*args, **environment):
    settings = {"KAFKA_BOOTSTRAP_SERVERS": BOOTSTRAP, "KAFKA_TOPIC": TOPIC, "OUTPUT_PATH": str(WORK / "tables"),
                "SPARK_CHECKPOINT_DIR": str(WORK / "checkpoint"), "MAX_OFFSETS_PER_TRIGGER": str(RECORDS // EPOCHS)}
    done = subprocess.run([LEAT, *args], env={**os.environ, **settings, **environment}, capture_output=True, text=True)
    if done.returncode != 0:
        print(done.stderr[-3000:])
        raise SystemExit(f"leat {args[0]} left with {done.returncode}\n0 passed, 1 failed")
    return done


TOPIC = f"transactions-{os.getpid()}"
leat("produce", "transactions", "--bootstrap", BOOTSTRAP, "--topic", TOPIC, "--count", str(RECORDS), "--partitions", "4",
     "--keys", "2000", "--bad-ratio", "0.02", "--late-ratio", "0.2", "--seed", "7", "--event-rate", str(RECORDS // 1800))
leat("run", str(ROOT / "examples/transactions"), "--once")

chain = oracle.chain(WORK / "checkpoint")
expected = oracle.Expected(oracle.consume(BOOTSTRAP, TOPIC), chain)
print(f"{len(expected.records)} records, {len(chain)} epochs, {len(expected.gold)} windows closed, {len(expected.open)} open, "
      f"{expected.late} late, bad {dict(expected.reasons)}")
check("the data has what is to be tested", [
    what for what, there in {"no windows closed": expected.gold, "nothing late": expected.late,
                             "not all reasons": len(expected.reasons) == 5, "records lost": len(expected.records) == RECORDS,
                             }.items() if not there])
for reader in (tables.Arrow(WORK / "tables"), tables.Duck(WORK / "tables")):
    check(reader.name, tables.differences(expected, reader))
check("csv", tables.csv_differences(expected, WORK / "tables"))

ledgers = {}
for record in chain:
    for entry in record["ledgers"]:
        total = ledgers.setdefault(entry["table"], dict.fromkeys(entry, 0))
        for name, value in entry.items():
            if isinstance(value, int):
                total[name] += value
gold = ledgers["gold"]
check("ledger", [f"{what}: {got} is not {want}" for what, got, want in (
    ("gold in", gold["in"], RECORDS), ("gold late", gold["late"], expected.late),
    ("gold aggregated", gold["aggregated"], len(expected.silver) - expected.late), ("gold out", gold["out"], len(expected.gold)),
    ("silver out", ledgers["silver"]["out"], len(expected.silver)),
    ("silver filtered", ledgers["silver"]["filtered"], len(expected.quarantine))) if got != want])

files = {t: len(list((WORK / "tables" / t).glob("part-*"))) for t in ("bronze", "silver", "quarantine", "raw_csv")}
with_input = sum(1 for r in chain if r["records"] > 0)
check("one file per table and epoch", [f"{t}: {n} files, {with_input} epochs" for t, n in files.items() if n > with_input])
left = [str(p) for p in (WORK / "tables").rglob("*.staged")]
check("nothing is left in staging", left[:3])

groups = subprocess.run(["java", "-Xmx256m", "-cp", f"{ROOT}/build/kafka/libs/*", "-Dorg.slf4j.simpleLogger.defaultLogLevel=error",
                         "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand", "--bootstrap-server", BOOTSTRAP,
                         "--describe", "--all-groups"], capture_output=True, text=True)
lines = [line.split() for line in groups.stdout.splitlines() if TOPIC in line.split()]
check("kafka-consumer-groups shows lag 0", [] if len(lines) == 4 and all(line[5] == "0" for line in lines)
      else [groups.stdout + groups.stderr])

# A second run finds nothing to do and changes nothing.
before = sorted(p.name for p in (WORK / "tables").rglob("part-*"))
leat("run", str(ROOT / "examples/transactions"), "--once")
after = sorted(p.name for p in (WORK / "tables").rglob("part-*"))
check("a second run changes nothing", [] if before == after else [f"{set(after) ^ set(before)}"])

print(f"{sum(results)} passed, {len(results) - sum(results)} failed")
sys.exit(not all(results))
