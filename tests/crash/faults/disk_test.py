"""Disks that fail for real: strace makes the k-th system call of a kind fail, k = 1, 2, ..; a small disk is full again and again.

Whatever leat says about it, a later start must leave every record in the tables once. strace counts a thread's own calls. It
cannot tell a file from a socket in write(): failing writes are the simulation's (tests/sim) and the full disk's.

    ONLY_FULL=1   the full disks alone      SEED=n   repeats their dice
"""
import os
import random
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent.parent / "interop")]
import storm
import workloads
from storm import Run, wait
from trial import check, finish

RECORDS, LIMIT = 3000, 300
RUN_SECONDS = 60
SEED = int(os.environ.get("SEED", str(int(time.time()) % 1_000_000)))
tag = str(os.getpid())
GIVE_UP = ("--set", "leat.retry.limit=3 seconds")
# What fails, with what, and up to which call. Only an interrupted sync may be noticed: it is never asked for again.
CALLS = (
    ("fsync,fdatasync", "EIO", 12),
    ("fsync,fdatasync", "ENOSPC", 4),
    ("fsync,fdatasync", "EINTR", 6),
    ("rename,renameat,renameat2", "EIO", 10),
    ("rename,renameat,renameat2", "ENOSPC", 4),
    ("link,linkat", "EIO", 3),
    ("unlink,unlinkat", "EIO", 6),
    ("mkdir,mkdirat", "ENOSPC", 3),
    ("flock", "EINTR", 2),
    ("getdents64", "EIO", 6),
)
SMALL_DISK_MIB = 48


def under_strace(run, calls, error, when, limit):
    """A run whose `when`-th call of each thread fails."""
    trace = ("strace", "-f", "-qq", "--seccomp-bpf", "-o", "/dev/null", "-e", f"trace={calls}", "-e",
             f"inject={calls}:error={error}:when={when}")
    return run.finish("--once", *GIVE_UP, under=trace, MAX_OFFSETS_PER_TRIGGER=limit)


def killed_at_call(run, calls, when, limit):
    trace = ("strace", "-f", "-qq", "--seccomp-bpf", "-o", "/dev/null", "-e", f"trace={calls}", "-e",
             f"inject={calls}:signal=KILL:when={when}")
    return run.finish("--once", under=trace, MAX_OFFSETS_PER_TRIGGER=limit)


def failing_call(workload, calls, error, when, limit):
    name = f"{workload.name}: {error} from {calls.split(',')[0]} {when}"
    run = Run(workload, name.replace(" ", "-").replace(":", ""))
    run.watch = workload.watch(run)
    run.watch.start()
    status = under_strace(run, calls, error, when, limit)
    problems = [] if status in (0, 1, 2) else [f"left with {status}: {run.last_words()}"]
    if error == "EINTR" and status != 0 and "sync" not in calls:
        problems.append(f"EINTR was noticed, it left with {status}: {run.last_words()}")
    if status in (1, 2) and not run.last_words():
        problems.append(f"left with {status} and said nothing")
    status = run.finish("--once", MAX_OFFSETS_PER_TRIGGER=limit)
    problems += [] if status == 0 else [f"the next start left with {status}: {run.last_words()}"]
    problems += run.watch.end().texts + workload.check(run).texts + storm.leftovers(run).texts
    workload.clean(run)
    check(name, problems)


def dying_call(workload, calls, when, limit):
    name = f"{workload.name}: killed in {calls.split(',')[0]} {when}"
    run = Run(workload, name.replace(" ", "-").replace(":", ""))
    run.watch = workload.watch(run)
    run.watch.start()
    killed_at_call(run, calls, when, limit)
    status = run.finish("--once", MAX_OFFSETS_PER_TRIGGER=limit)
    problems = [] if status == 0 else [f"the next start left with {status}: {run.last_words()}"]
    problems += run.watch.end().texts + workload.check(run).texts + storm.leftovers(run).texts
    workload.clean(run)
    check(name, problems)


# ---- a disk that is full again and again ----


def own_mounts():
    """Start over in a mount namespace. False when this machine has none for us."""
    if "LEAT_OWN_MOUNTS" in os.environ:
        return True
    unshare = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"])]
    if subprocess.run([*unshare, "true"], check=False).returncode != 0:
        return False
    os.execvpe("unshare", [*unshare, sys.executable, *sys.argv], {**os.environ, "LEAT_OWN_MOUNTS": "1"})


class Tide(threading.Thread):
    """Takes all of a disk but a few bytes, and gives it back."""

    def __init__(self, path, dice):
        super().__init__(daemon=True)
        self.path, self.dice, self.ended, self.times = path / "filler", dice, threading.Event(), 0

    def run(self):
        while not self.ended.is_set():
            self.rise(self.dice.choice((0, 4096, 65536, 1 << 18)))
            self.ended.wait(self.dice.uniform(0.2, 1.0))
            self.path.unlink()
            self.ended.wait(self.dice.uniform(0.1, 0.6))

    def rise(self, spare_bytes):
        """leat writes meanwhile: what is free now may not be a moment later."""
        with open(self.path, "wb") as file:
            for _ in range(20):
                try:
                    os.posix_fallocate(file.fileno(), 0, max(shutil.disk_usage(self.path.parent).free - spare_bytes, 1))
                    self.times += 1
                    return
                except OSError:
                    spare_bytes += 16384

    def end(self):
        self.ended.set()
        self.join()


def full_again_and_again(workload, kills, number):
    dice = random.Random(f"{SEED}/{workload.name}/{number}")
    name = f"{workload.name}: full disk {number}, seed {SEED}"
    run = Run(workload, f"{workload.name}-full-{number}")
    disk = run.root / "disk"
    disk.mkdir()
    run.tables, run.checkpoint = disk / "tables", disk / "checkpoint"
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK_MIB}m", "tmpfs", disk], check=True)
    tide = Tide(disk, dice)
    run.watch = workload.watch(run)
    run.watch.start()
    tide.start()
    time.sleep(0.1)
    problems, killed = [], 0
    deadline = time.monotonic() + RUN_SECONDS
    while killed < kills and time.monotonic() < deadline:
        process = run.start("--once", MAX_OFFSETS_PER_TRIGGER=dice.randint(*workload.limits))
        if wait(process, dice.uniform(0.3, 4)) is None:
            process.kill()
            process.wait()
            killed += 1
        elif process.returncode == 0:
            break
    tide.end()
    status = run.finish("--once", MAX_OFFSETS_PER_TRIGGER=dice.randint(*workload.limits))
    problems += [] if status == 0 else [f"the last start left with {status}: {run.last_words()}"]
    problems += run.watch.end().texts + workload.check(run).texts + storm.leftovers(run).texts
    workload.clean(run)
    subprocess.run(["umount", disk], check=True)
    print(f"{name}: {tide.times} times full, {killed} kills", file=sys.stderr)
    check(name, problems if tide.times else [*problems, "the disk was never full"])


def failing_calls():
    plain, stateful, topics = workloads.files("parquet", tag, RECORDS), workloads.stateful(tag), workloads.topics(tag, RECORDS)
    for calls, error, last in CALLS:
        for when in range(1, last + 1):
            failing_call(plain, calls, error, when, LIMIT)
        failing_call(stateful, calls, error, max(last // 2, 1), stateful.limits[0])
        failing_call(topics, calls, error, max(last // 2, 1), LIMIT)
    for when in range(1, 9):
        dying_call(plain, "rename,renameat,renameat2,link,linkat", when, LIMIT)
        dying_call(topics, "rename,renameat,renameat2,link,linkat", when, LIMIT)


def main():
    mounts = own_mounts()
    if "ONLY_FULL" not in os.environ:
        failing_calls()
    if mounts:
        for number, workload in enumerate((workloads.files("parquet", f"{tag}-many"), workloads.files("csv", f"{tag}-many"),
                                           workloads.topics(f"{tag}-many"), workloads.stateful(f"{tag}-many"))):
            full_again_and_again(workload, 6, number)
    finish(skipped=0 if mounts else 4)


main()
