CREATE TEMPORARY VIEW parsed AS
SELECT e.event_id, e.ts, e.value, e.source, to_date(e.ts) AS dt
FROM (
  SELECT from_json(CAST(value AS STRING), 'event_id STRING, ts TIMESTAMP, value DOUBLE, source STRING') AS e
  FROM STREAM events_topic
)
WHERE e.event_id IS NOT NULL;

CREATE STREAMING TABLE events
PARTITIONED BY (dt)
TBLPROPERTIES ('parquet.compression' = 'snappy')
AS SELECT * FROM STREAM parsed;

CREATE STREAMING TABLE events_csv
PARTITIONED BY (dt)
TBLPROPERTIES ('leat.format' = 'csv')
AS SELECT * FROM STREAM parsed;
