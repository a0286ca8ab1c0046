"""A table's folder is not what the checkpoint made of it: its format or PARTITIONED BY was changed, its Delta log is gone, older, or newer than the
checkpoint. leat refuses before it writes, and nothing is hidden, double or lost; what a crash leaves is none of these."""
import json
import os
import shutil

from deltalake import DeltaTable

from trial import WORK, check, finish, leat


class Project:
    """One table over JSON files, an epoch a file."""

    def __init__(self, name, table_format, **settings):
        self.root = WORK / name
        self.folder, self.inputs, self.tables, self.checkpoint = (
            self.root / each for each in ("project", "in", "tables", "checkpoint"))
        self.inputs.mkdir(parents=True)
        (self.folder / "sql").mkdir(parents=True)
        lines = {"source.events.format": "json", "source.events.path": self.inputs, "source.events.maxFilesPerTrigger": '"1"',
                 "source.events.schema": '"id BIGINT"', "leat.trigger": "once", "leat.checkpoint": self.checkpoint,
                 "leat.tables.path": self.tables, "leat.compact": "false", **settings}
        (self.folder / "spark-pipeline.yml").write_text(
            f"name: p\nlibraries:\n  - glob:\n      include: sql/**\nstorage: file://{self.root}/storage\nconfiguration:\n" +
            "".join(f"  {key}: {value}\n" for key, value in lines.items()))
        self.files = 0
        self.become(table_format)

    def become(self, table_format, properties="", where="", columns="id"):
        (self.folder / "sql/t.sql").write_text(
            f"CREATE STREAMING TABLE t USING {table_format} {properties} AS SELECT {columns} FROM STREAM events {where};")

    def feed(self, files):
        """Five rows each."""
        for _ in range(files):
            (self.inputs / f"{self.files:05d}.json").write_text(
                "".join(json.dumps({"id": self.files * 5 + n}) + "\n" for n in range(5)))
            self.files += 1

    def run(self, *flags):
        return leat("run", self.folder, *flags)

    def crash(self, fault):
        os.environ["LEAT_FAIL"] = fault
        try:
            return self.run()
        finally:
            del os.environ["LEAT_FAIL"]

    def holds(self):
        ids = DeltaTable(str(self.tables / "t")).to_pyarrow_table()["id"].to_pylist()
        return [] if sorted(ids) == list(range(self.files * 5)) else [f"{len(ids)} rows, {len(set(ids))} ids, want {self.files * 5}"]

    def listing(self):
        return sorted(str(path.relative_to(self.tables)) for path in self.tables.rglob("*")
                      if path.is_file() and "_staging" not in path.parts)

    def refused(self, what, *texts, code=2):
        before = self.listing()
        self.feed(1)
        for command in (("plan",), ("run",), ("run", "--accept")):
            done = leat(command[0], self.folder, *command[1:])
            check(f"{what}: {' '.join(command)} says no", [p for text in texts for p in done.problems(code, text)])
        check(f"{what}: nothing is written", [] if self.listing() == before else ["the folder has changed"])


def formats():
    for old, new in (("parquet", "delta"), ("delta", "parquet"), ("parquet", "csv"), ("csv", "json"), ("json", "delta")):
        project = Project(f"{old}-{new}", old)
        project.feed(3)
        check(f"{old} is written", project.run().problems(0))
        project.become(new)
        project.refused(f"{old} to {new}", f"table t was written as {old}", f"is now {new}", "leat.path")
        project.become(new, f"TBLPROPERTIES ('leat.path' = '{project.root}/new')")
        check(f"{old} to {new}: in a new folder it goes on", project.run().problems(0))
        project.become(new, f"TBLPROPERTIES ('leat.path' = '{project.root}/new')")
        check(f"{old} to {new}: and on", project.run().problems(0))


def formats_forgotten():
    """The newest epochs wrote no rows."""
    project = Project("idle", "parquet")
    project.feed(3)
    check("rows, then none", project.run().problems(0))
    project.become("parquet", where="WHERE id < 0")
    project.feed(2)
    check("none", project.run().problems(0))
    project.become("delta")
    project.refused("behind idle epochs", "table t was written as parquet")
    (project.root / "kept").mkdir()
    for path in sorted(project.checkpoint.glob("chain/0/*.json"))[:3]:
        path.rename(project.root / "kept" / path.name)
    project.refused("when the records are forgotten", "table t is now delta", "_delta_log")


def partitions():
    """Of plain files, of which nothing but the folders' names says how they are laid out."""
    columns = "id, id % 2 AS parity, id % 3 AS third"
    layouts = (("PARTITIONED BY (parity)", "PARTITIONED BY (third)"), ("", "PARTITIONED BY (parity)"),
               ("PARTITIONED BY (parity)", ""), ("PARTITIONED BY (parity, third)", "PARTITIONED BY (third, parity)"))
    for number, (old, new) in enumerate(layouts):
        table_format = ("parquet", "csv", "json")[number % 3]
        project = Project(f"layout-{number}", table_format)
        project.become(table_format, old, columns=columns)
        project.feed(3)
        check(f"{table_format} is written, {old}", project.run().problems(0))
        project.become(table_format, new, columns=columns)
        project.refused(f"{table_format}, {old} to {new}", f"table t was written {old or 'without PARTITIONED BY'}",
                        f"is now {new or 'without PARTITIONED BY'}", "leat.path")
        project.become(table_format, old, columns=columns)
        check(f"{table_format}: as it was it goes on", project.run().problems(0))
        project.become(table_format, f"{new} TBLPROPERTIES ('leat.path' = '{project.root}/new')", columns=columns)
        check(f"{table_format}: in a new folder it goes on", project.run().problems(0))
        check(f"{table_format}: and on", project.run().problems(0))


def partitions_forgotten():
    """No record that is left has a file of the table."""
    project = Project("layout-idle", "parquet")
    project.become("parquet", "PARTITIONED BY (parity)", columns="id, id % 2 AS parity")
    project.feed(3)
    check("rows, then none", project.run().problems(0))
    project.become("parquet", "PARTITIONED BY (parity)", "WHERE id < 0", columns="id, id % 2 AS parity")
    project.feed(2)
    check("none", project.run().problems(0))
    (project.root / "kept").mkdir()
    for path in sorted(project.checkpoint.glob("chain/0/*.json"))[:3]:
        path.rename(project.root / "kept" / path.name)
    check("as it was it goes on", project.run().problems(0))
    project.become("parquet", "", "WHERE id < 0", columns="id, id % 2 AS parity")
    project.refused("when the records are forgotten", "table t was written PARTITIONED BY (parity)")


def kinds():
    """A streaming table and a materialized view do not become each other: one would lose rows, the other would keep too many."""
    def define(project, table_format, first):
        kind = {"table": f"CREATE STREAMING TABLE t USING {table_format} AS SELECT id FROM STREAM events;",
                "view": f"CREATE MATERIALIZED VIEW t USING {table_format} AS SELECT id FROM u WHERE id < 3;"}
        (project.folder / "sql/t.sql").write_text("CREATE STREAMING TABLE u AS SELECT id FROM STREAM events;\n" + kind[first])

    for table_format in ("parquet", "delta"):
        for old, new, text in (("table", "view", "t was a streaming table"), ("view", "table", "t was a materialized view")):
            project = Project(f"kind-{table_format}-{old}", table_format)
            define(project, table_format, old)
            project.feed(2)
            check(f"{table_format}: a {old}", project.run().problems(0))
            define(project, table_format, new)
            project.refused(f"{table_format}: a {old} becomes a {new}", text, "leat.path")
            define(project, table_format, old)
            check(f"{table_format}: a {old} goes on", project.run().problems(0))


def plain_in_delta():
    project = Project("plain", "delta")
    project.feed(2)
    check("a Delta table", project.run().problems(0))
    shutil.rmtree(project.checkpoint)
    project.become("parquet")
    check("a new checkpoint, and plain files in a Delta table", project.run().problems(2, "is a Delta table"))


def log_gone():
    for gone in ("t/_delta_log", "t"):
        project = Project("gone-" + gone.replace("/", "-"), "delta")
        project.feed(3)
        check("a Delta table", project.run().problems(0))
        shutil.rmtree(project.tables / gone)
        project.refused(f"{gone} is gone", "_delta_log is not there", code=1)


def log_older():
    project = Project("restored", "delta")
    project.feed(3)
    check("a Delta table", project.run().problems(0))
    shutil.copytree(project.tables / "t", project.root / "backup")
    project.feed(3)
    check("goes on", project.run().problems(0))
    shutil.move(project.tables / "t", project.root / "newer")
    shutil.copytree(project.root / "backup", project.tables / "t")
    project.refused("a table out of a backup", "epochs up to 2, and epoch 4 wrote rows", code=1)
    shutil.rmtree(project.tables / "t")
    shutil.move(project.root / "newer", project.tables / "t")
    check("the newer one goes on", project.run().problems(0))
    check("with all rows", project.holds())


def checkpoint_older():
    project = Project("old-checkpoint", "delta")
    project.feed(3)
    check("a Delta table", project.run().problems(0))
    shutil.copytree(project.checkpoint, project.root / "backup")
    project.feed(5)
    check("goes on", project.run().problems(0))
    table = DeltaTable(str(project.tables / "t"))
    table.optimize.compact()
    table.vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False)
    shutil.rmtree(project.checkpoint)
    shutil.copytree(project.root / "backup", project.checkpoint)
    project.refused("a checkpoint out of a backup", "is older than its tables", "has epoch 7", code=1)


def crashes():
    """The head's epoch is not in the log, or the first one's: recovery's work."""
    for before in (0, 3):
        for fault in ("delta_before:1:kill", "delta_put:1:kill"):
            project = Project(f"crash-{before}-{fault[:9]}", "delta")
            if before > 0:
                project.feed(before)
                check("a Delta table", project.run().problems(0))
            project.feed(2)
            project.crash(fault)
            check(f"{fault} after {before} epochs: it goes on", project.run().problems(0))
            check(f"{fault} after {before} epochs: with all rows", project.holds())
            check(f"{fault} after {before} epochs: the audit agrees", leat("audit", project.folder).problems(0))


def files_gone():
    """Of those that the log still has, and of those that it has no more; what a merge took, and what a writer deleted."""
    project = Project("files-gone", "delta")
    project.feed(4)
    check("a Delta table", project.run().problems(0))
    path = min((project.tables / "t").glob("part-*.parquet"))
    path.rename(project.root / "aside")
    audit = leat("audit", project.folder)
    check("gone, and the log has it", [f"left with {audit.status}, said {audit.out}"] if audit.status != 3 or
          audit.out.count(path.name) != 1 or "file_missing" not in audit.out or "file_vacuumed" in audit.out else [])
    (project.root / "aside").rename(path)
    table = DeltaTable(str(project.tables / "t"))
    for what, change in (("deleted", lambda: table.delete("id < 5")), ("merged", table.optimize.compact)):
        change()
        table.vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False)
        audit = leat("audit", project.folder)
        check(f"gone, {what} and vacuumed", [f"left with {audit.status}, said {audit.out}"] if audit.status != 0 or
              "file_vacuumed" not in audit.out or "file_missing" in audit.out else [])


formats()
formats_forgotten()
partitions()
partitions_forgotten()
kinds()
plain_in_delta()
log_gone()
log_older()
checkpoint_older()
files_gone()
crashes()
finish()
