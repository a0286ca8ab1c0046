CREATE TEMPORARY VIEW e AS
SELECT partition, j.*
FROM (
  SELECT *, from_json(CAST(value AS STRING), 'k STRING, ts TIMESTAMP, v INT') AS j
  FROM STREAM events
);


CREATE STREAMING TABLE per_minute AS
SELECT k, window.start AS s, count(*) AS n, sum(v) AS total
FROM STREAM e WATERMARK ts DELAY OF INTERVAL 10 SECONDS
GROUP BY k, window(ts, '1 minute');
