CREATE TEMPORARY VIEW e AS
SELECT j.*
FROM (
  SELECT *, from_json(CAST(value AS STRING), 'd DECIMAL(10,3), big DECIMAL(30,5), s DECIMAL(5,2), ts TIMESTAMP') AS j
  FROM STREAM events
);


CREATE STREAMING TABLE sums AS
SELECT window.start AS s, sum(d) AS sum_d, avg(d) AS avg_d, sum(big) AS sum_big, avg(big) AS avg_big, min(big) AS low, max(d) AS high,
  sum(d * s) AS product, sum(CAST(s AS DECIMAL(7,4))) AS wider, sum(-s) AS negated
FROM STREAM e WATERMARK ts DELAY OF INTERVAL 0 SECONDS
GROUP BY window(ts, '1 minute');

CREATE STREAMING TABLE keyed AS
SELECT d, big, window.start AS w, count(*) AS n
FROM STREAM e WATERMARK ts DELAY OF INTERVAL 0 SECONDS
GROUP BY d, big, window(ts, '1 minute');
