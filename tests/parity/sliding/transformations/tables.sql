CREATE TEMPORARY VIEW e AS
SELECT j.*
FROM (
  SELECT *, from_json(CAST(value AS STRING), 'k STRING, ts TIMESTAMP, v INT') AS j
  FROM STREAM events
);


CREATE STREAMING TABLE by_five AS
SELECT k, window.start AS s, window.end AS e, count(*) AS n, sum(v) AS total, min(v) AS low, max(v) AS high
FROM STREAM e WATERMARK ts DELAY OF INTERVAL 2 MINUTES
GROUP BY k, window(ts, '10 minutes', '5 minutes');
