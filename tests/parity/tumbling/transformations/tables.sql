CREATE TEMPORARY VIEW e AS
SELECT j.*
FROM (
  SELECT *, from_json(CAST(value AS STRING), 'k STRING, ts TIMESTAMP, v INT') AS j
  FROM STREAM events
);


CREATE STREAMING TABLE per_minute AS
SELECT k, window.start AS s, window.end AS e, count(*) AS n, count(v) AS nv, sum(v) AS total, avg(v) AS mean, min(v) AS low,
  max(v) AS high
FROM STREAM e WATERMARK ts DELAY OF INTERVAL 10 SECONDS
GROUP BY k, window(ts, '1 minute');
