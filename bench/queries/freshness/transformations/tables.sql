CREATE TEMPORARY VIEW payments AS
SELECT r.*, timestamp AS sent, partition AS kafka_partition, offset AS kafka_offset
FROM (SELECT from_json(CAST(value AS STRING), 'txn_id STRING, event_ts STRING, card_id STRING, amount DECIMAL(12,2)') AS r,
             timestamp, partition, offset
      FROM STREAM transactions);

CREATE STREAMING TABLE lake TBLPROPERTIES ('leat.format' = 'delta') AS SELECT * FROM STREAM payments;

CREATE STREAMING TABLE plain TBLPROPERTIES ('leat.format' = 'parquet')
AS SELECT txn_id, amount, sent FROM STREAM payments;
