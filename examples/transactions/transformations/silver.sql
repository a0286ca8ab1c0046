-- One parse and one verdict serve silver, quarantine and gold.
CREATE TEMPORARY VIEW parsed AS
SELECT
  topic, partition, offset, timestamp AS kafka_timestamp,
  CAST(value AS STRING) AS raw_value,
  from_json(CAST(value AS STRING),
    'txn_id STRING, event_ts STRING, user_id STRING, card_id STRING, merchant STRING, category STRING,
     amount DECIMAL(12,2), currency STRING, status STRING, city STRING, country STRING, lat DOUBLE, lon DOUBLE,
     _corrupt_record STRING') AS txn
FROM STREAM bronze;

CREATE TEMPORARY VIEW judged AS
SELECT
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
FROM STREAM parsed;

CREATE STREAMING TABLE silver
COMMENT 'typed and valid transactions'
AS SELECT
  txn.txn_id, event_time, txn.user_id, txn.card_id, txn.merchant, txn.category, txn.amount, txn.currency, txn.status,
  txn.city, txn.country, txn.lat, txn.lon, partition, offset
FROM STREAM judged
WHERE reason IS NULL;

CREATE STREAMING TABLE quarantine
COMMENT 'what silver refused, with the reason and where to find it'
AS SELECT raw_value, reason, topic, partition, offset, kafka_timestamp
FROM STREAM judged
WHERE reason IS NOT NULL;
