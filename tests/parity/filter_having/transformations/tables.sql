CREATE TEMPORARY VIEW e AS
SELECT j.*
FROM (
  SELECT *, from_json(CAST(value AS STRING), 'k STRING, ts TIMESTAMP, v INT') AS j
  FROM STREAM events
);


CREATE STREAMING TABLE kept AS
SELECT k, window.start AS w, count(*) FILTER (WHERE v > 2) AS big, sum(v) FILTER (WHERE v < 0) AS negative, sum(v) * 100 / count(*) AS percent,
  max(v) FILTER (WHERE k = 'a') - min(v) AS spread
FROM STREAM e WATERMARK ts DELAY OF INTERVAL 10 SECONDS
GROUP BY k, window(ts, '1 minute')
HAVING count(*) >= 2 AND sum(v) > 3;

CREATE STREAMING TABLE having_filter AS
SELECT window.end AS w, count(*) AS n
FROM STREAM e WATERMARK ts DELAY OF INTERVAL 10 SECONDS
WHERE v IS NOT NULL
GROUP BY window(ts, '1 minute')
HAVING count(*) FILTER (WHERE v % 2 = 0) > 1 OR max(k) = 'c';

CREATE STREAMING TABLE none AS
SELECT window.end AS w, count(*) AS n
FROM STREAM e WATERMARK ts DELAY OF INTERVAL 10 SECONDS GROUP BY window(ts, '1 minute') HAVING min(v) > 1000;
