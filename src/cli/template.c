#include "cli/template.h"

#include <stddef.h>

static const char spark_pipeline_yml[] =
    "# @NAME@: a Kafka topic of card transactions, made into tables.\n"
    "# ${env:NAME:-default} comes from the environment, or from .env beside this file (see .env.example).\n"
    "name: @NAME@\n"
    "storage: \"${env:STORAGE:-file:///tmp/leat/@NAME@}\"\n"
    "libraries:\n"
    "  - glob:\n"
    "      include: transformations/**\n"
    "\n"
    "configuration:\n"
    "  # A source is named here and read as FROM STREAM transactions; its options are those of Spark's Kafka reader.\n"
    "  source.transactions.format: kafka\n"
    "  source.transactions.kafka.bootstrap.servers: \"${env:KAFKA_BOOTSTRAP_SERVERS:-127.0.0.1:9092}\"\n"
    "  source.transactions.subscribe: \"${env:KAFKA_TOPIC:-transactions}\"\n"
    "  source.transactions.startingOffsets: earliest\n"
    "\n"
    "  spark.sql.session.timeZone: UTC\n"
    "\n"
    "  # leat's own; Spark ignores them. An epoch every 10 seconds; `continuous` commits as often as it can.\n"
    "  leat.trigger: 10 seconds\n";

static const char bronze_sql[] =
    "-- Every record as it came, with its place in the topic: what all other tables are made of.\n"
    "CREATE STREAMING TABLE bronze\n"
    "COMMENT 'raw records'\n"
    "AS SELECT key, value, topic, partition, offset, timestamp\n"
    "FROM STREAM transactions;\n";

static const char silver_sql[] =
    "-- One parse and one verdict serve the good rows and the bad ones: each record ends in exactly one of the two tables.\n"
    "CREATE TEMPORARY VIEW judged AS\n"
    "SELECT\n"
    "  *,\n"
    "  try_cast(txn.event_ts AS TIMESTAMP) AS event_time,\n"
    "  CASE\n"
    "    WHEN txn IS NULL OR coalesce(txn.txn_id, txn.event_ts, txn.card_id) IS NULL THEN 'malformed'\n"
    "    WHEN txn.txn_id IS NULL THEN 'missing_txn_id'\n"
    "    WHEN try_cast(txn.event_ts AS TIMESTAMP) IS NULL THEN 'missing_event_ts'\n"
    "    WHEN txn.card_id IS NULL THEN 'missing_card_id'\n"
    "    WHEN txn.amount IS NULL OR txn.amount < 0 THEN 'bad_amount'\n"
    "  END AS reason\n"
    "FROM (\n"
    "  SELECT\n"
    "    topic, partition, offset, CAST(value AS STRING) AS raw_value,\n"
    "    from_json(CAST(value AS STRING),\n"
    "      'txn_id STRING, event_ts STRING, card_id STRING, merchant STRING, amount DECIMAL(12,2), currency STRING') AS txn\n"
    "  FROM STREAM bronze\n"
    ");\n"
    "\n"
    "CREATE STREAMING TABLE silver\n"
    "COMMENT 'typed and valid'\n"
    "AS SELECT txn.txn_id, event_time, txn.card_id, txn.merchant, txn.amount, txn.currency\n"
    "FROM STREAM judged\n"
    "WHERE reason IS NULL;\n"
    "\n"
    "CREATE STREAMING TABLE quarantine\n"
    "COMMENT 'refused, with the reason and the place in the topic'\n"
    "AS SELECT raw_value, reason, topic, partition, offset\n"
    "FROM STREAM judged\n"
    "WHERE reason IS NOT NULL;\n";

static const char gold_sql[] =
    "-- One row per card and minute. A minute is written when the watermark, 5 minutes behind the newest event, has passed it.\n"
    "CREATE STREAMING TABLE gold\n"
    "COMMENT 'spending per card and minute'\n"
    "AS SELECT\n"
    "  card_id,\n"
    "  window.start AS window_start,\n"
    "  count(*) AS payments,\n"
    "  sum(amount) AS amount\n"
    "FROM STREAM silver WATERMARK event_time DELAY OF INTERVAL 5 MINUTES\n"
    "GROUP BY card_id, window(event_time, '1 minute');\n";

static const char bridge_py[] =
    "\"\"\"Brings the sources and sinks of spark-pipeline.yml to Spark. Written by `leat init`; the same in every project.\n"
    "\n"
    "leat reads `source.NAME.*` and `sink.NAME.*` itself and ignores this file. On Spark each source becomes a temporary view\n"
    "over readStream, each sink a pipeline sink fed by the view that `from` names.\n"
    "\"\"\"\n"
    "import os\n"
    "import re\n"
    "from pathlib import Path\n"
    "\n"
    "import yaml\n"
    "from pyspark import pipelines as dp\n"
    "from pyspark.sql import SparkSession\n"
    "\n"
    "\n"
    "def from_environment(match):\n"
    "    name, _, default = match.group(1).partition(\":-\")\n"
    "    return os.environ.get(name) or default\n"
    "\n"
    "\n"
    "def settings(kind):\n"
    "    \"\"\"{name: {option: value}} of `kind`.NAME.OPTION; options without a value are left out.\"\"\"\n"
    "    spec = yaml.safe_load((Path(__file__).resolve().parents[1] / \"spark-pipeline.yml\").read_text())\n"
    "    found = {}\n"
    "    for key, value in (spec.get(\"configuration\") or {}).items():\n"
    "        value = re.sub(r\"\\$\\{env:([^}]*)\\}\", from_environment, str(value))\n"
    "        if key.startswith(kind + \".\") and value:\n"
    "            name, option = key[len(kind) + 1:].split(\".\", 1)\n"
    "            found.setdefault(name, {})[option] = value\n"
    "    return found\n"
    "\n"
    "\n"
    "def is_stream(name, options):\n"
    "    \"\"\"Files are a stream where the SQL says STREAM, else a relation that stands still.\"\"\"\n"
    "    if options[\"format\"] not in (\"csv\", \"json\", \"parquet\", \"orc\", \"text\", \"avro\", \"delta\"):\n"
    "        return True\n"
    "    read = re.compile(rf\"\\bSTREAM\\b[\\s(`]*{re.escape(name)}\\b\", re.IGNORECASE)\n"
    "    return any(read.search(path.read_text()) for path in Path(__file__).resolve().parent.rglob(\"*.sql\"))\n"
    "\n"
    "\n"
    "def add_source(name, options):\n"
    "    def load():\n"
    "        spark = SparkSession.active()\n"
    "        reader = (spark.readStream if is_stream(name, options) else spark.read).format(options[\"format\"])\n"
    "        # The option `schema` is a method of Spark's reader.\n"
    "        if \"schema\" in options:\n"
    "            reader = reader.schema(options[\"schema\"])\n"
    "        return reader.options(**{k: v for k, v in options.items() if k not in (\"format\", \"schema\")}).load()\n"
    "    dp.temporary_view(name=name)(load)\n"
    "\n"
    "\n"
    "def add_sink(name, options):\n"
    "    dp.create_sink(name, options[\"format\"], {k: v for k, v in options.items() if k not in (\"format\", \"from\")})\n"
    "    dp.append_flow(target=name, name=name + \"_flow\")(lambda: SparkSession.active().readStream.table(options[\"from\"]))\n"
    "\n"
    "\n"
    "for name, options in settings(\"source\").items():\n"
    "    add_source(name, options)\n"
    "for name, options in settings(\"sink\").items():\n"
    "    add_sink(name, options)\n";

static const char env_example[] =
    "# Copy to .env; leat reads it for ${env:NAME} in spark-pipeline.yml. The process environment wins.\n"
    "KAFKA_BOOTSTRAP_SERVERS=127.0.0.1:9092\n"
    "KAFKA_TOPIC=transactions\n"
    "STORAGE=file:///tmp/leat/@NAME@\n";

const struct template_file template_files[] = {
    {"spark-pipeline.yml", "name, sources, settings", spark_pipeline_yml},
    {"transformations/bronze.sql", "raw records", bronze_sql},
    {"transformations/silver.sql", "typed rows, and what was refused", silver_sql},
    {"transformations/gold.sql", "windows", gold_sql},
    {"transformations/bridge.py", "for Spark only", bridge_py},
    {".env.example", "settings of the environment", env_example},
    {NULL, NULL, NULL},
};
