"""The five tables of examples/transactions as a hand-written Spark Structured Streaming job: what leat is compared with.

    spark_transactions.py BOOTSTRAP TOPIC OUTPUT JARS

One streaming query a table, all at once, trigger availableNow: read what is in the topic, commit, stop. Prints one
JSON line: seconds from the start of the first query to the end of the last (JVM and session are up by then), CPU
seconds in that time, the JVM's peak memory. Settings are kind to Spark: both cores, 4 GiB, 2 shuffle partitions.
"""
import json
import resource
import sys
import time
from pathlib import Path

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

FIELDS = "txn_id event_ts user_id card_id merchant category amount currency status city country lat lon".split()
TYPED = [
    "txn_id",
    "try_cast(event_ts AS TIMESTAMP) AS event_ts",
    *FIELDS[2:6],
    "try_cast(amount AS DECIMAL(12,2)) AS amount",
    *FIELDS[7:11],
    "try_cast(lat AS DOUBLE) AS lat",
    "try_cast(lon AS DOUBLE) AS lon",
]
REASON = """CASE
    WHEN corrupt IS NOT NULL OR event IS NULL THEN 'malformed'
    WHEN txn_id IS NULL THEN 'missing_txn_id'
    WHEN event_ts IS NULL THEN 'missing_event_ts'
    WHEN card_id IS NULL THEN 'missing_card_id'
    WHEN amount IS NULL OR amount < 0 THEN 'bad_amount'
END"""
COORDINATES = ["topic", "partition", "offset", "timestamp AS kafka_ts"]


def session(jars):
    jars = sorted(str(p) for p in Path(jars).glob("*.jar"))
    spark = (SparkSession.builder.master("local[2]").appName("transactions")
             .config("spark.jars", ",".join(jars))
             .config("spark.driver.extraClassPath", ":".join(jars))
             .config("spark.driver.host", "127.0.0.1")
             .config("spark.driver.bindAddress", "127.0.0.1")
             .config("spark.driver.memory", "4g")
             .config("spark.ui.enabled", "false")
             .config("spark.sql.session.timeZone", "UTC")
             .config("spark.sql.shuffle.partitions", "2")
             .config("spark.sql.parquet.compression.codec", "snappy")
             .getOrCreate())
    spark.sparkContext.setLogLevel("ERROR")
    return spark


def kafka(spark, bootstrap, topic):
    return (spark.readStream.format("kafka")
            .option("kafka.bootstrap.servers", bootstrap)
            .option("subscribe", topic)
            .option("startingOffsets", "earliest")
            .load().selectExpr("CAST(value AS STRING) AS value", *COORDINATES))


def judged(source):
    """Every record with its typed fields and the reason to refuse it, NULL for a good one."""
    schema = ", ".join(f"{name} STRING" for name in FIELDS) + ", corrupt STRING"
    event = F.from_json("value", schema, {"columnNameOfCorruptRecord": "corrupt"})
    columns = ["value", "topic", "partition", "offset", "kafka_ts"]
    return (source.withColumn("event", event)
            .select(*columns, "event", "event.*")
            .selectExpr(*columns, "event", "corrupt", *TYPED)
            .withColumn("reason", F.expr(REASON)))


def tables(spark, bootstrap, topic):
    """{name: (dataframe, format)}"""
    source = kafka(spark, bootstrap, topic)
    all_rows = judged(source)
    good = all_rows.where("reason IS NULL")
    place = ["topic", "partition", "offset", "kafka_ts"]
    gold = (good.withWatermark("event_ts", "5 minutes")
            .groupBy(F.window("event_ts", "1 minute"), "card_id")
            .agg(F.count("*").alias("txns"), F.sum("amount").alias("amount"), F.max("amount").alias("amount_max"))
            .selectExpr("window.start AS window_start", "window.end AS window_end", "card_id", "txns", "amount",
                        "amount_max"))
    return {
        "bronze": (source, "parquet"),
        "silver": (good.select(*FIELDS, *place), "parquet"),
        "quarantine": (all_rows.where("reason IS NOT NULL").select("value", *place, "reason"), "parquet"),
        "gold": (gold, "parquet"),
        "raw_csv": (good.select(*FIELDS), "csv"),
    }


def jvm(spark):
    """CPU seconds so far and peak memory of the JVM, where all the work is done."""
    pid = spark.sparkContext._jvm.java.lang.ProcessHandle.current().pid()
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    status = Path(f"/proc/{pid}/status").read_text()
    peak_kib = int(status.split("VmHWM:")[1].split()[0])
    return (int(fields[11]) + int(fields[12])) / 100, peak_kib / 1024


def main():
    bootstrap, topic, output, jars = sys.argv[1:]
    spark = session(jars)
    spark.range(1).count()  # the session's own first steps are not the job's
    todo = tables(spark, bootstrap, topic)
    cpu_before, _ = jvm(spark)
    start = time.monotonic()
    queries = [(df.writeStream.queryName(name).format(form).outputMode("append").trigger(availableNow=True)
                .option("path", f"{output}/tables/{name}")
                .option("checkpointLocation", f"{output}/checkpoints/{name}")
                .start())
               for name, (df, form) in todo.items()]
    for query in queries:
        query.awaitTermination()
        if query.exception():
            raise SystemExit(str(query.exception()))
    seconds = time.monotonic() - start
    cpu, peak_mib = jvm(spark)
    cpu += resource.getrusage(resource.RUSAGE_SELF).ru_utime
    print(json.dumps({"seconds": round(seconds, 3), "cpu_s": round(cpu - cpu_before, 3),
                      "rss_mib": round(peak_mib)}))
    spark.stop()


if __name__ == "__main__":
    main()
