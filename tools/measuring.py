"""What the benchmarks share: run a program and measure it, produce a topic, print and keep the figures. Used by tools/bench
and tools/bench_queries.py, which run with build/venv."""
import datetime
import json
import os
import platform
import shutil
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from transactions import LEAT, PARTITIONS, ROOT, create_topic, say

OUT = ROOT / "build/bench"
HISTORY = ROOT / "bench/history"
INSTANCE = "bench"
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Measure:
    """One program's run; the broker's CPU is what it used meanwhile."""
    records: int
    seconds: float
    cpu_s: float
    broker_cpu_s: float
    rss_mib: float

    @property
    def records_per_s(self):
        return self.records / self.seconds

    def as_json(self):
        return {"records": self.records, "seconds": round(self.seconds, 3), "records_per_s": round(self.records_per_s),
                "cpu_s": round(self.cpu_s, 2), "broker_cpu_s": round(self.broker_cpu_s, 2), "rss_mib": round(self.rss_mib)}


# ---- measuring ------------------------------------------------------------------------------------------------------


def broker_cpu_s():
    pid = (ROOT / "build/kafka" / INSTANCE / "pid").read_text().strip()
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


class PeakMemory(threading.Thread):
    """Reads the kernel's high-water mark until the process ends. Not rusage's: that one begins with our own size."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.status = Path(f"/proc/{pid}/status")
        self.mib = 0.0
        self.start()

    def run(self):
        try:
            while "VmHWM:" in (text := self.status.read_text()):
                self.mib = int(text.split("VmHWM:")[1].split()[0]) / 1024
                time.sleep(0.02)
        except OSError:
            pass  # it has ended


def measure(name, command, records, **options):
    """Runs a command to its end: its measure, stdout and stderr."""
    out, err = OUT / f"{name}.out", OUT / f"{name}.err"
    broker_before, start = broker_cpu_s(), time.monotonic()
    with open(out, "wb") as stdout, open(err, "wb") as stderr:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, **options)
        peak = PeakMemory(process.pid)
        try:
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        finally:
            if process.returncode is None:
                process.kill()
    seconds = time.monotonic() - start
    if process.returncode != 0:
        say("\n".join(err.read_text(errors="replace").splitlines()[-30:]))
        raise SystemExit(f"error: {name} ended with {process.returncode}; its output is in {err}")
    return (Measure(records, seconds, usage.ru_utime + usage.ru_stime, broker_cpu_s() - broker_before,
                    peak.mib), out.read_text(), err.read_text(errors="replace"))


def last_json(text, key):
    """The last line that is a JSON object with this key; {} when there is none."""
    for line in reversed(text.splitlines()):
        if line.startswith("{"):
            try:
                found = json.loads(line)
            except ValueError:
                continue
            if key in found:
                return found
    return {}


def fresh(name):
    path = OUT / name
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    return path

def produce(bootstrap, kind, topic, records, *flags):
    create_topic(INSTANCE, topic)
    command = [LEAT, "produce", kind, "--bootstrap", bootstrap, "--topic", topic, "--count", str(records), "--partitions",
               str(PARTITIONS), "--seed", "1", *map(str, flags)]
    produced = measure(f"produce-{topic}", command, records)[0]
    os.sync()  # the broker does not: its dirty pages would go to disk in the middle of the next measure
    return produced


# ---- the report -----------------------------------------------------------------------------------------------------


def machine():
    cpu = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")),
               platform.machine())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {"cpu": cpu, "cores": os.cpu_count(), "memory_gib": round(memory), "kernel": platform.release()}


def commit():
    answer = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True)
    return answer.stdout.strip() or "unknown"


def print_header():
    print(f"{'':14}{'records/s':>12}{'MB/s':>8}{'seconds':>10}{'CPU us/rec':>12}{'broker us/rec':>15}{'peak MiB':>10}")


def print_measure(name, m, record_bytes):
    print(f"{name:14}{m.records_per_s:12,.0f}{m.records_per_s * record_bytes / 1e6:8.0f}{m.seconds:10.1f}"
          f"{m.cpu_s / m.records * 1e6:12.2f}{m.broker_cpu_s / m.records * 1e6:15.2f}{m.rss_mib:10.0f}", flush=True)


def history_line(**figures):
    return {"date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"), "commit": commit(),
            "machine": machine(), **figures}


def history_add(workload, line):
    HISTORY.mkdir(parents=True, exist_ok=True)
    with open(HISTORY / f"{workload}.jsonl", "a", encoding="utf-8") as history:
        history.write(json.dumps(line) + "\n")
