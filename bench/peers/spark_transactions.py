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

# Two steps of every table but bronze, as in examples/transactions/transformations/silver.sql.
PARSED = """SELECT
  topic, partition, offset, timestamp AS kafka_timestamp,
  CAST(value AS STRING) AS raw_value,
  from_json(CAST(value AS STRING),
    'txn_id STRING, event_ts STRING, user_id STRING, card_id STRING, merchant STRING, category STRING,
     amount DECIMAL(12,2), currency STRING, status STRING, city STRING, country STRING, lat DOUBLE, lon DOUBLE,
     _corrupt_record STRING') AS txn
FROM bronze"""

JUDGED = """SELECT
  *,
  try_cast(txn.event_ts AS TIMESTAMP) AS event_time,
  CASE
    WHEN txn IS NULL
      OR (txn._corrupt_record IS NOT NULL AND coalesce(txn.txn_id, txn.event_ts, txn.card_id, txn.user_id) IS NULL)
      THEN 'malformed'
    WHEN txn.txn_id IS NULL THEN 'missing_txn_id'
    WHEN try_cast(txn.event_ts AS TIMESTAMP) IS NULL THEN 'missing_event_ts'
    WHEN txn.card_id IS NULL THEN 'missing_card_id'
    WHEN txn.amount IS NULL OR txn.amount < 0 THEN 'bad_amount'
  END AS reason
FROM parsed"""

SILVER = """SELECT
  txn.txn_id, event_time, txn.user_id, txn.card_id, txn.merchant, txn.category, txn.amount, txn.currency, txn.status,
  txn.city, txn.country, txn.lat, txn.lon, partition, offset
FROM judged
WHERE reason IS NULL"""

QUARANTINE = """SELECT raw_value, reason, topic, partition, offset, kafka_timestamp
FROM judged
WHERE reason IS NOT NULL"""

RAW_CSV = """SELECT CAST(key AS STRING) AS key, CAST(value AS STRING) AS value, topic, partition, offset, timestamp
FROM bronze"""


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
             # Pushed below the projection, `reason IS NULL` would parse the JSON again: twice the CPU for the job.
             .config("spark.sql.optimizer.excludedRules", "org.apache.spark.sql.catalyst.optimizer.PushDownPredicates")
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
            .load().select("key", "value", "topic", "partition", "offset", "timestamp"))


def gold(silver):
    return (silver.withWatermark("event_time", "5 minutes")
            .groupBy("card_id", F.window("event_time", "1 minute"))
            .agg(F.count("*").alias("txn_count"), F.sum("amount").alias("sum_amount"),
                 F.avg("amount").alias("avg_amount"), F.max("amount").alias("max_amount"))
            .selectExpr("card_id", "window.start AS window_start", "window.end AS window_end", "txn_count", "sum_amount",
                        "avg_amount", "max_amount"))


def tables(spark, bootstrap, topic):
    """{name: (dataframe, format)}"""
    bronze = kafka(spark, bootstrap, topic)
    bronze.createOrReplaceTempView("bronze")
    spark.sql(PARSED).createOrReplaceTempView("parsed")
    spark.sql(JUDGED).createOrReplaceTempView("judged")
    silver = spark.sql(SILVER)
    return {
        "bronze": (bronze, "parquet"),
        "silver": (silver, "parquet"),
        "quarantine": (spark.sql(QUARANTINE), "parquet"),
        "gold": (gold(silver), "parquet"),
        "raw_csv": (spark.sql(RAW_CSV), "csv"),
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
