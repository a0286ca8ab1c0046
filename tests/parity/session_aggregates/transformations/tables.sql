CREATE TEMPORARY VIEW e AS
SELECT j.*
FROM (
  SELECT *, from_json(CAST(value AS STRING), 'k STRING, g INT, ts TIMESTAMP, v INT, d DECIMAL(9,2), x DOUBLE') AS j
  FROM STREAM events
);


CREATE STREAMING TABLE visits AS
SELECT k, g, session_window.start AS s, count(*) AS n, sum(d) AS d, avg(d) AS mean_d, min(x) AS low, max(x) AS high, avg(v) AS mean,
  count_if(v > 3) AS many, bool_or(v = 5) AS five, max_by(v, ts) AS newest, min_by(v, ts) AS oldest
FROM STREAM e WATERMARK ts DELAY OF INTERVAL 1 MINUTE
GROUP BY k, g, session_window(ts, '45 seconds')
HAVING count(*) > 1;
