"""Killed after the record of an epoch and before its files have their names, and then the project is another: what was committed
is published where it was staged. And a checkpoint that is older than its tables, out of a backup, is refused. Files are the
source: no broker."""

import json
import os
import shutil
import signal
import sys
from pathlib import Path

os.environ.setdefault("KAFKA_BOOTSTRAP_SERVERS", "")
sys.path.insert(0, str(Path(__file__).parent.parent / "interop"))
import pyarrow.parquet as pq
from trial import WORK, check, finish, leat, project

CONFIGURATION = {
    "source.lines.format": "text",
    "source.lines.maxFilesPerTrigger": "1",
    "spark.sql.session.timeZone": "UTC",
}
WHOLE = "CREATE STREAMING TABLE whole AS SELECT value AS v FROM STREAM lines;\n"
NUMBERS = "CREATE STREAMING TABLE numbers AS SELECT CAST(value AS INT) AS n FROM STREAM lines;\n"
LATE = """CREATE STREAMING TABLE counted TBLPROPERTIES ('leat.late' = 'table') AS
SELECT window.start AS at, count(*) AS n FROM (SELECT CAST(value AS TIMESTAMP) AS t FROM STREAM lines)
WATERMARK t DELAY OF INTERVAL 1 SECOND GROUP BY window(t, '1 minute');
"""


class Place:
    """A project over files, each an epoch."""

    def __init__(self, name, sql):
        self.name, self.input, self.data = name, WORK / f"{name}-in", WORK / f"{name}-data"
        self.input.mkdir(parents=True)
        self.folder = project(name, self.spec(), sql)

    def spec(self, **changed):
        settings = {
            **CONFIGURATION,
            "source.lines.path": str(self.input),
            "leat.tables.path": str(self.data / "tables"),
            "leat.checkpoint": str(self.data / "checkpoint"),
            **{key.replace("_", "."): value for key, value in changed.items()},
        }
        lines = "".join(f"  {key}: {json.dumps(value)}\n" for key, value in settings.items())
        return (
            f"name: {self.name}\nstorage: {self.data.as_uri()}\n"
            f"libraries: [{{glob: {{include: transformations/**}}}}]\nconfiguration:\n{lines}"
        )

    def change(self, sql, **changed):
        (self.folder / "transformations/a.sql").write_text(sql)
        (self.folder / "spark-pipeline.yml").write_text(self.spec(**changed))

    def fill(self, name, *lines):
        (self.input / f"{name}.txt").write_text("".join(f"{line}\n" for line in lines))

    def run(self, *words, **environment):
        return leat("run", self.folder, "--once", *words, **environment)

    def killed(self):
        """After the record of the next epoch."""
        done = self.run(LEAT_FAIL="after_record:1")
        return [] if done.status == -signal.SIGKILL else [f"left with {done.status}, not killed: {done.err[-600:]}"]

    def rows(self, table, tables="tables"):
        """How many can be seen."""
        folder = self.data / tables / table
        rows = sum(pq.read_metadata(path).num_rows for path in folder.glob("part-*.parquet"))
        return rows + sum(len(path.read_text().splitlines()) for path in folder.glob("part-*.json"))

    def differ(self, **wanted):
        found = {table: self.rows(table) for table in wanted}
        return [] if found == wanted else [f"{found} rows, want {wanted}"]


def begun(name, sql):
    place = Place(name, sql)
    place.fill("a", "1", "2", "x")
    return place, place.run().problems(0)


def table_removed():
    place, problems = begun("removed", WHOLE + NUMBERS)
    place.fill("b", "3", "y")
    problems += place.killed() + place.differ(whole=3, numbers=2, _quarantine=1)
    place.change(WHOLE)
    problems += place.run("--accept").problems(0)
    check("a table was removed", problems + place.differ(whole=5, numbers=3, _quarantine=2))


def folder_removed():
    place, problems = begun("folder-removed", WHOLE + NUMBERS)
    place.fill("b", "3", "y")
    problems += place.killed()
    shutil.rmtree(place.data / "tables/numbers")
    place.change(WHOLE)
    problems += place.run("--accept").problems(0, "numbers", "not there any more")
    check("a table was removed, and its folder", problems + place.differ(whole=5, _quarantine=2))


def quarantine_renamed():
    place, problems = begun("renamed", WHOLE + NUMBERS)
    place.fill("b", "3", "y")
    problems += place.killed()
    place.change(WHOLE + NUMBERS, leat_quarantine="rejects")
    problems += place.run("--accept").problems(0)
    place.fill("c", "z", "4")
    problems += place.run().problems(0)
    check("the quarantine was renamed", problems + place.differ(numbers=4, _quarantine=2, rejects=1))


def late_renamed():
    place = Place("late", LATE)
    place.fill("a", "2026-01-01 10:00:00", "2026-01-01 11:00:00")
    problems = place.run().problems(0)
    place.fill("b", "2026-01-01 09:00:00", "2026-01-01 12:00:00")
    problems += place.killed()
    place.change(LATE.replace("counted", "numbered"))
    problems += place.run("--accept").problems(0)
    check("a table of late rows was renamed", problems + place.differ(counted_late=1))


def tables_elsewhere():
    place, problems = begun("elsewhere", WHOLE)
    place.fill("b", "3", "y")
    problems += place.killed()
    place.change(WHOLE, leat_tables_path=str(place.data / "other"))
    problems += place.run().problems(0)
    place.fill("c", "4")
    problems += place.run().problems(0) + place.differ(whole=5)
    got = place.rows("whole", "other")
    check("leat.tables.path is another", problems + ([] if got == 1 else [f"{got} rows elsewhere"]))


def without_files():
    """The table has no folder any more; the audit finds its files where they were."""
    place, problems = begun("without-files", WHOLE)
    place.fill("b", "3", "y")
    problems += place.killed()
    place.change(WHOLE.replace("whole AS", "whole TBLPROPERTIES ('leat.format' = 'console') AS"))
    problems += place.run().problems(0) + place.differ(whole=5)
    audit = leat("audit", place.folder)
    problems += audit.problems(0) + ([] if audit.out.count("file_elsewhere") == 2 else [f"audit: {audit.out[-600:]}"])
    check("a table writes no files any more", problems)


def moved():
    """The whole of it, with what is staged: the folder of the record is gone, and nothing is missing."""
    place, problems = begun("moved", WHOLE)
    place.fill("b", "3", "y")
    problems += place.killed()
    place.data = place.data.rename(WORK / "moved-away")
    place.change(WHOLE)
    problems += place.run().problems(0)
    check("all was moved", problems + place.differ(whole=5))


def restored():
    """The checkpoint alone comes out of a backup."""
    place, problems = begun("restored", WHOLE + NUMBERS)
    backup = shutil.copytree(place.data / "checkpoint", WORK / "restored-backup")
    place.fill("b", "3", "y")
    problems += place.run().problems(0) + place.differ(whole=5, numbers=3)
    newest = shutil.move(place.data / "checkpoint", WORK / "restored-newest")
    shutil.copytree(backup, place.data / "checkpoint")
    done = place.run()
    problems += [] if done.status != 0 else ["a checkpoint older than its tables was taken"]
    problems += done.problems(done.status, "is older than its tables", "ends with epoch 0", "file of epochs up to 1")
    check("an older checkpoint is refused", problems + place.differ(whole=5, numbers=3, _quarantine=2))
    older = shutil.copytree(place.data / "tables", WORK / "restored-tables")
    for path in place.data.glob("tables/*/part-*-0000000001-*"):
        path.unlink()
    problems = place.run().problems(0) + place.differ(whole=5, numbers=3, _quarantine=2)
    check("it goes on without what it does not know", problems)
    shutil.rmtree(place.data)
    shutil.copytree(older, place.data / "tables")
    shutil.copytree(newest, place.data / "checkpoint")
    place.fill("c", "4")
    check("the newer checkpoint goes on", place.run().problems(0) + place.differ(whole=6, numbers=4))


if __name__ == "__main__":
    table_removed()
    folder_removed()
    quarantine_renamed()
    late_renamed()
    tables_elsewhere()
    without_files()
    moved()
    restored()
    finish()
