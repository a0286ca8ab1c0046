CREATE TEMPORARY VIEW e AS
SELECT j.*
FROM (
  SELECT *, from_json(CAST(value AS STRING), 'x DOUBLE, f FLOAT, b BOOLEAN, d DATE, s STRING, y BINARY, l BIGINT, t TINYINT, ts TIMESTAMP') AS j
  FROM STREAM events
);


CREATE STREAMING TABLE by_double AS
SELECT x, f, window.start AS w, count(*) AS n
FROM STREAM e WATERMARK ts DELAY OF INTERVAL 0 SECONDS GROUP BY x, f, window(ts, '1 minute');

CREATE STREAMING TABLE by_others AS
SELECT b, d, s, y, l, t, window.start AS w, count(*) AS n
FROM STREAM e WATERMARK ts DELAY OF INTERVAL 0 SECONDS GROUP BY b, d, s, y, l, t, window(ts, '1 minute');

CREATE STREAMING TABLE extremes AS
SELECT window.start AS w, min(x) AS low_x, max(x) AS high_x, min(f) AS low_f, max(f) AS high_f, min(b) AS low_b, max(b) AS high_b, min(d) AS low_d,
  max(d) AS high_d, min(s) AS low_s, max(s) AS high_s, min(y) AS low_y, max(y) AS high_y, min(l) AS low_l, max(t) AS high_t
FROM STREAM e WATERMARK ts DELAY OF INTERVAL 0 SECONDS GROUP BY window(ts, '1 minute');
