"""Runs pipeline folders on a Spark Connect server, one after the other: what `spark-pipelines run` does, in a process
that stays. Started by tools/spark/connect.py with build/venv-spark and SPARK_REMOTE.

    stdin    a JSON line per run: {"project": folder, "database": name, "location": folder of its tables}
    stdout   a JSON line per run: {"error": null} or {"error": text}
    stderr   what the pipeline said

A project may hold dedup.json (tools/spark/render.py): tables of dropDuplicates, which run after the pipeline as streaming
queries of their own over the same views.
"""
import json
import os
import sys
from pathlib import Path

from pyspark.pipelines import cli
from pyspark.sql import SparkSession


def create_database(name, location):
    session = SparkSession.builder.getOrCreate()
    try:
        session.sql(f"CREATE DATABASE IF NOT EXISTS {name} LOCATION 'file://{location}'")
    finally:
        session.stop()


def create_source(session, name, options):
    rest = {key: value for key, value in options.items() if key != "format"}
    session.readStream.format(options["format"]).options(**rest).load().createOrReplaceTempView(name)


def sources(configuration):
    """{name: options} of source.NAME.OPTION."""
    found = {}
    for key, value in configuration.items():
        if key.startswith("source."):
            name, option = key[len("source."):].split(".", 1)
            found.setdefault(name, {})[option] = value
    return found


def start(session, table, order, storage):
    rows = getattr(session.sql(table["query"]), table["method"])(table["columns"])
    return (rows.writeStream.queryName(f"spark_catalog.{order['database']}.{table['name']}").outputMode("append")
            .option("checkpointLocation", f"{storage}/_dedup/{table['name']}").trigger(availableNow=True)
            .toTable(f"{order['database']}.{table['name']}"))


def run_dedup(order, spec, dedup):
    session = SparkSession.builder.getOrCreate()
    try:
        for key, value in spec.configuration.items():
            if key.startswith("spark."):
                session.conf.set(key, value)
        for name, options in sources(spec.configuration).items():
            create_source(session, name, options)
        for view in dedup["views"]:
            session.sql(view)
        for query in [start(session, table, order, spec.storage) for table in dedup["tables"]]:
            query.awaitTermination()
            if query.exception():
                raise query.exception()
    finally:
        session.stop()


def run(order):
    create_database(order["database"], order["location"])
    project = Path(order["project"])
    spec_path, dedup_path = project / "spark-pipeline.yml", project / "dedup.json"
    if "CREATE STREAMING TABLE" in (project / "transformations/tables.sql").read_text():
        cli.run(spec_path, full_refresh=[], full_refresh_all=False, refresh=[], dry=False)
    if dedup_path.exists():
        run_dedup(order, cli.load_pipeline_spec(spec_path), json.loads(dedup_path.read_text()))


def main():
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # the pipeline prints its events
    for line in sys.stdin:
        error = None
        try:
            run(json.loads(line))
        except Exception as problem:  # whatever it is, the next folder must run
            error = f"{type(problem).__name__}: {problem}"
        sys.stdout.flush()
        print(json.dumps({"error": error}), file=answers)


if __name__ == "__main__":
    main()
