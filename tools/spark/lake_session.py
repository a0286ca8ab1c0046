"""Spark with Delta, asked line by line. Started by tests/parity/lake_parity.py with build/venv-spark.

    stdin    a JSON line per request: {"sql": [statement, ..], "out": null or a file for the last one's rows,
             "settings": {name: value}}
    stdout   a JSON line per request: {"error": null or text}
    stderr   what Spark says

Rows go into Arrow files, as Spark's toArrow() gives them.
"""
import json
import sys
from pathlib import Path

import pyarrow as pa
from pyspark.sql import SparkSession

JARS = Path(__file__).resolve().parent.parent.parent / "build/spark/jars"
SETTINGS = {
    "spark.master": "local[1]",
    "spark.jars": ",".join(str(jar) for jar in sorted(JARS.glob("*.jar")) if "kafka" not in jar.name),
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    "spark.databricks.delta.snapshotPartitions": "1",
    "spark.driver.memory": "1g",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.shuffle.partitions": "1",
    "spark.sql.codegen.wholeStage": "false",  # for so few rows compiling takes longer
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}


def answer(session, request):
    for name, value in request.get("settings", {}).items():
        session.conf.set(name, value)
    found = None
    for statement in request["sql"]:
        found = session.sql(statement)
    if request.get("out"):
        table = found.toArrow()
        with pa.OSFile(request["out"], "wb") as file, pa.ipc.new_file(file, table.schema) as out:
            out.write_table(table)
    for name in request.get("settings", {}):
        session.conf.unset(name)


def main():
    builder = SparkSession.builder
    for name, value in SETTINGS.items():
        builder = builder.config(name, value)
    answers, sys.stdout = sys.stdout, sys.stderr
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    for line in sys.stdin:
        try:
            answer(session, json.loads(line))
            error = None
        except Exception as e:  # whatever it is, the next request may work
            error = f"{type(e).__name__}: {str(e)[:2000]}"
        print(json.dumps({"error": error}), file=answers, flush=True)


main()
