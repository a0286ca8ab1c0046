CREATE TEMPORARY VIEW e AS
SELECT j.*
FROM (
  SELECT *, from_json(CAST(value AS STRING), 'k STRING, g INT, ts TIMESTAMP, v INT') AS j
  FROM STREAM events
);


CREATE STREAMING TABLE rolled AS
SELECT window.start AS w, k, g, count(*) AS n, sum(v) AS total
FROM STREAM e WATERMARK ts DELAY OF INTERVAL 10 SECONDS
GROUP BY GROUPING SETS ((window(ts, '1 minute'), k, g), (window(ts, '1 minute'), k), (window(ts, '1 minute')));
