CREATE TEMPORARY VIEW e AS
SELECT j.*
FROM (
  SELECT *, from_json(CAST(value AS STRING), 'k STRING, ts TIMESTAMP, v INT') AS j
  FROM STREAM events
);


CREATE STREAMING TABLE by_key TBLPROPERTIES ('leat.dedup' = 'k', 'leat.dedup.within_watermark' = 'true') AS
SELECT k, v, ts FROM STREAM e WATERMARK ts DELAY OF INTERVAL 30 SECONDS;

CREATE STREAMING TABLE by_both TBLPROPERTIES ('leat.dedup' = 'v, k', 'leat.dedup.within_watermark' = 'true') AS
SELECT k, v, ts FROM STREAM e WATERMARK ts DELAY OF INTERVAL 1 MINUTE;
