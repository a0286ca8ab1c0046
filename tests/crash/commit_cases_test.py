"""The failure cases of exactly-once.md, section 8, that lie between a table's files, the state and the commit record.

README.md in this folder says where each of the 32 cases is tested."""
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "interop"))
import storm
import workloads
from storm import Run
from trial import check, finish

RECORDS, LIMIT = 3000, 250
tag = str(os.getpid())


def own_mounts():
    """Start over in a mount namespace. False when this machine has none for us."""
    if "LEAT_OWN_MOUNTS" in os.environ:
        return True
    unshare = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"])]
    if subprocess.run([*unshare, "true"], check=False).returncode != 0:
        return False
    os.execvpe("unshare", [*unshare, sys.executable, *sys.argv], {**os.environ, "LEAT_OWN_MOUNTS": "1"})


def left(run, want, got, *words):
    """Problems with a start that should have left with `want` and said `words`."""
    said = run.last_words()
    problems = [] if got == want else [f"left with {got}, want {want}: {said}"]
    return problems + [f"does not say {word!r} but {said}" for word in words if word not in said]


def whole(run, workload):
    """After one more undisturbed start."""
    problems = left(run, 0, run.finish("--once", MAX_OFFSETS_PER_TRIGGER=LIMIT))
    return problems + workload.check(run).texts + storm.leftovers(run).texts


def visible(run):
    return {path.name for path in run.tables.rglob("part-*")}


def epochs_visible(run):
    return {int(name.split("-")[3]) for name in visible(run)}


def killed(workload, point, times):
    run = Run(workload, f"{workload.name}-killed-at-{point}-{times}")
    status = run.finish("--once", MAX_OFFSETS_PER_TRIGGER=LIMIT, LEAT_FAIL=f"{point}:{times}")
    return run, [] if status == -signal.SIGKILL else [f"{point}:{times} did not kill: {status}"]


# ---- before the record: garbage, and the range is read again ----


def before_the_record(workload, case, point):
    for times in (1, 5):
        run, problems = killed(workload, point, times)
        ahead = {epoch for epoch in epochs_visible(run) if epoch >= run.epochs()}
        problems += [f"epochs {ahead} can be seen and have no record"] if ahead else []
        check(f"case {case}: killed at {point}:{times}", problems + whole(run, workload))


def record_put_lost(workload):
    for times in (2, 5):  # the first is query.json
        run = Run(workload, f"record-put-lost-{times}")
        status = run.finish("--once", MAX_OFFSETS_PER_TRIGGER=LIMIT, LEAT_FAIL=f"record_put:{times}:lost")
        problems = left(run, 0, status) + workload.check(run).texts
        check(f"case 4: the record is in, its answer lost ({times})", problems + storm.leftovers(run).texts)


# ---- behind the record: finished by whoever comes next ----


def behind_the_record(workload, point):
    for times in (1, 2, 7):
        run, problems = killed(workload, point, times)
        check(f"case 6: killed at {point}:{times}", problems + whole(run, workload))


def at_the_log(workload):
    """Of Delta tables: between files and log, and behind the log, where only its txn tells that the epoch is done."""
    for case, point in ((6, "publish_one"), (11, "delta_before"), (10, "delta_put")):
        for times in (1, 2, 7):
            run, problems = killed(workload, point, times)
            check(f"case {case}: a Delta table, killed at {point}:{times}", problems + whole(run, workload))
    for times in (1, 4):
        run = Run(workload, f"delta-put-lost-{times}")
        status = run.finish("--once", MAX_OFFSETS_PER_TRIGGER=LIMIT, LEAT_FAIL=f"delta_put:{times}:lost")
        check(f"case 10: the log has the commit, its answer was lost ({times})",
              left(run, 0, status) + workload.check(run).texts + storm.leftovers(run).texts)


def killed_again_and_again(workload):
    """The start that finishes the epoch is killed in the midst of that, and so is the next one."""
    run, problems = killed(workload, "after_record", 4)
    for times in (2, 3, 1, 1):
        status = run.finish("--once", MAX_OFFSETS_PER_TRIGGER=LIMIT, LEAT_FAIL=f"publish_one:{times}")
        problems += [] if status == -signal.SIGKILL else [f"publish_one:{times} did not kill: {status}"]
    check("case 6: killed at every start", problems + whole(run, workload))


def someone_deleted(workload):
    run, problems = killed(workload, "after_record", 5)
    staged = sorted(run.tables.rglob("*.staged"))[0]
    kept = staged.read_bytes()
    staged.unlink()
    epochs = run.epochs()
    status = run.finish("--once", MAX_OFFSETS_PER_TRIGGER=LIMIT)
    problems += left(run, 1, status, "is gone", staged.name, "deleted by someone else")
    problems += [] if run.epochs() == epochs else ["it went on"]
    check("case 7: a staged file of a committed epoch is gone", problems)
    staged.write_bytes(kept)
    check("case 7: it was put back", whole(run, workload))


def someone_changed(workload):
    run, problems = killed(workload, "after_record", 6)
    staged = sorted(run.tables.rglob("*.staged"))[0]
    kept = staged.read_bytes()
    for what, damage in (("cut", kept[:-7]), ("flipped", kept[:9] + bytes([kept[9] ^ 1]) + kept[10:])):
        staged.write_bytes(damage)
        status = run.finish("--once", MAX_OFFSETS_PER_TRIGGER=LIMIT)
        problems += left(run, 1, status, staged.name)
        problems += [] if not any(path.name.startswith("part-") and path.read_bytes() == damage
                                  for path in run.tables.rglob("part-*")) else ["the damaged file can be seen"]
        check(f"case 6: a staged file of a committed epoch was {what}", problems)
    staged.write_bytes(kept)
    check("case 6: it was mended", whole(run, workload))


# ---- errors that leat mends or stops at ----


def sync_fails(workload):
    for times in (1, 4):
        run = Run(workload, f"sync-fails-{times}")
        status = run.finish("--once", MAX_OFFSETS_PER_TRIGGER=LIMIT, LEAT_FAIL=f"stage_fsync:{times}:eio")
        check(f"case 14: a sync fails ({times}): a new file, the same rows",
              left(run, 0, status, "injected fault at stage_fsync") + workload.check(run).texts + storm.leftovers(run).texts)


def another_file_system(workload):
    """_staging was put on a disk of its own: renames out of it cannot be."""
    run = Run(workload, "another-file-system")
    staging = run.tables / "records/_staging"
    staging.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", staging], check=True)
    status = run.finish("--once", MAX_OFFSETS_PER_TRIGGER=LIMIT)
    problems = left(run, 2, status, str(run.tables / "records"), "lies on another file system")
    problems += [] if run.epochs() == 0 and not visible(run) else ["something was committed"]
    check("case 16: staging on another file system is refused at start", problems)
    subprocess.run(["umount", staging], check=True)
    check("case 16: on the same one it goes", whole(run, workload))


def checkpoint_deleted(workload):
    run = Run(workload, "checkpoint-deleted")
    problems = left(run, 0, run.finish("--once", MAX_OFFSETS_PER_TRIGGER=LIMIT))
    before = visible(run)
    shutil.rmtree(run.checkpoint)
    status = run.finish("--once", MAX_OFFSETS_PER_TRIGGER=LIMIT)
    problems += left(run, 0, status, "is new, but table records already has files of another one", "twice")
    problems += [] if before < visible(run) else ["files of the first checkpoint are gone"]
    rows = workload.check(run)
    problems += [] if (rows.lost, rows.torn) == (0, 0) and rows.double > 0 else [f"tables: {rows.texts}"]
    check("case 30: checkpoint deleted, tables kept: a new query, and a warning", problems)


def two_queries(workload):
    """Names carry the query's id."""
    first, second = Run(workload, "first-query"), Run(workload, "second-query")
    second.tables = first.tables
    processes = [run.start("--once", MAX_OFFSETS_PER_TRIGGER=LIMIT) for run in (first, second)]
    statuses = [storm.wait(process, 60) for process in processes]
    found = workload.check(first)
    check("case 32: two queries into one folder", ([] if statuses == [0, 0] else [f"left with {statuses}"]) +
          ([] if (found.lost, found.torn) == (0, 0) and found.double == 4 * RECORDS else found.texts) +
          storm.leftovers(first, audit=False).texts)


def all_snapshots_bad(workload):
    """Every file that has a shard's state is damaged: nothing can be restored, so nothing is guessed."""
    run = Run(workload, "snapshots-bad")
    limit = workload.limits[0]
    run.finish("--once", "--set", "leat.snapshot.epochs=2", MAX_OFFSETS_PER_TRIGGER=limit, LEAT_FAIL="after_record:9")
    kept = {path: path.read_bytes() for path in run.checkpoint.glob("state/0/*.state")}
    for path, content in kept.items():
        path.write_bytes(content[:64] + bytes(byte ^ 255 for byte in content[64:]))
    status = run.finish("--once", MAX_OFFSETS_PER_TRIGGER=limit)
    epochs = run.epochs()
    check("case 17: no snapshot can be read: stop", left(run, 1, status, "state file") +
          ([] if epochs == 9 else [f"it went on to epoch {epochs}"]))
    for path, content in kept.items():
        path.write_bytes(content)
    status = run.finish("--once", MAX_OFFSETS_PER_TRIGGER=limit)
    check("case 17: snapshots mended", left(run, 0, status) + workload.check(run).texts)


def main():
    mounts = own_mounts()
    plain = workloads.files("parquet", tag, RECORDS)
    for case, point in ((1, "stage_open"), (1, "stage_write"), (1, "stage_fsync"), (2, "stage_done"), (3, "record_temp"),
                        (3, "record_put")):
        before_the_record(plain, case, point)
    record_put_lost(plain)
    for point in ("after_record", "publish_one", "publish_done", "group_commit"):
        behind_the_record(plain, point)
    killed_again_and_again(plain)
    someone_deleted(plain)
    someone_changed(plain)
    sync_fails(plain)
    if mounts:
        another_file_system(plain)
    checkpoint_deleted(plain)
    two_queries(plain)
    at_the_log(workloads.files("delta", tag, RECORDS))
    all_snapshots_bad(workloads.stateful(tag))
    finish(skipped=0 if mounts else 2)


main()
