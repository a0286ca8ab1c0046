CREATE TEMPORARY VIEW e AS
SELECT j.*
FROM (
  SELECT *, from_json(CAST(value AS STRING), 'k STRING, ts TIMESTAMP, v INT, x DOUBLE, d DECIMAL(8,2)') AS j
  FROM STREAM events
);


CREATE STREAMING TABLE estimates AS
SELECT k, window.start AS w, approx_count_distinct(v) AS dv, approx_count_distinct(x) AS dx, percentile_approx(v, 0.5) AS median, percentile_approx(x, 0.9) AS high,
  percentile_approx(v, array(0.0, 0.25, 0.5, 1.0)) AS quarters, percentile_approx(d, 0.5, 1000) AS d
FROM STREAM e WATERMARK ts DELAY OF INTERVAL 0 SECONDS GROUP BY k, window(ts, '1 minute');
