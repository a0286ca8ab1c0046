CREATE TEMPORARY VIEW e AS
SELECT j.*
FROM (
  SELECT *, from_json(CAST(value AS STRING), 'k STRING, ts TIMESTAMP, t STRING') AS j
  FROM STREAM events
);


CREATE STREAMING TABLE hourly AS
SELECT window.start AS s, CAST(window.start AS STRING) AS text, count(*) AS n
FROM STREAM e WATERMARK ts DELAY OF INTERVAL 0 SECONDS
GROUP BY window(ts, '1 hour', '30 minutes');

CREATE STREAMING TABLE plain AS
SELECT k, ts, CAST(ts AS STRING) AS text, CAST(ts AS DATE) AS d, from_utc_timestamp(ts, 'Pacific/Apia') AS apia, hour(ts) AS h, minute(ts) AS m
FROM STREAM e;
