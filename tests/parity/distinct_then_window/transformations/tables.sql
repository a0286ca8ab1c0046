CREATE TEMPORARY VIEW e AS
SELECT j.*
FROM (
  SELECT *, from_json(CAST(value AS STRING), 'k STRING, ts TIMESTAMP, v INT') AS j
  FROM STREAM events
);


CREATE STREAMING TABLE counts AS
SELECT k, window.start AS s, count(*) AS n, sum(w) AS total
FROM (SELECT DISTINCT k, ts, v * 10 AS w FROM STREAM e WATERMARK ts DELAY OF INTERVAL 10 SECONDS WHERE v < 3)
GROUP BY k, window(ts, '1 minute');
