CREATE STREAMING TABLE bronze COMMENT 'as it came' AS SELECT key, value, topic, partition, offset, timestamp FROM STREAM src;
CREATE TEMPORARY VIEW parsed AS
SELECT *, from_json(CAST(value AS STRING), 'id STRING, amount DECIMAL(12,2), at STRING, _corrupt_record STRING') AS t FROM STREAM bronze;
CREATE TEMPORARY VIEW judged AS
SELECT p.*, try_cast(t.at AS TIMESTAMP) AS event_time,
  CASE WHEN t IS NULL OR t._corrupt_record IS NOT NULL THEN 'malformed' WHEN t.amount < 0 THEN 'bad' END AS reason FROM STREAM parsed AS p;
CREATE STREAMING TABLE silver AS SELECT t.id, event_time, t.amount, offset FROM STREAM judged WHERE reason IS NULL;
CREATE STREAMING TABLE bad PARTITIONED BY (reason) AS SELECT offset, reason FROM STREAM judged WHERE reason IS NOT NULL;
CREATE STREAMING TABLE gold AS SELECT id, window.start AS s, count(*) AS n, sum(amount) / count(*) + 1 AS a
FROM STREAM silver WATERMARK event_time DELAY OF INTERVAL 5 MINUTES GROUP BY id, window(event_time, '1 minute');
