CREATE TEMPORARY VIEW e AS
SELECT j.*
FROM (
  SELECT *, from_json(CAST(value AS STRING), 'k STRING, ts TIMESTAMP, v INT, x DOUBLE, d DECIMAL(8,2), b BOOLEAN, l BIGINT, s STRING, t TIMESTAMP, f FLOAT') AS j
  FROM STREAM events
);


CREATE STREAMING TABLE numbers AS
SELECT k, window.start AS w, count(*) AS n, count(v) AS nv, count(v, x) AS nvx, sum(v) AS sum_v, sum(l) AS sum_l, sum(x) AS sum_x, sum(f) AS sum_f, sum(d) AS sum_d,
  avg(v) AS avg_v, avg(x) AS avg_x, mean(d) AS avg_d, avg(l) AS avg_l, min(v) AS min_v, max(v) AS max_v, min(x) AS min_x, max(x) AS max_x, min(d) AS min_d, max(d) AS max_d
FROM STREAM e WATERMARK ts DELAY OF INTERVAL 0 SECONDS GROUP BY k, window(ts, '1 minute');

CREATE STREAMING TABLE spread AS
SELECT k, window.start AS w, var_pop(x) AS vp, var_samp(x) AS vs, variance(v) AS v, stddev(x) AS sd, stddev_pop(v) AS sp, stddev_samp(d) AS ss, std(l) AS sl,
  covar_pop(x, v) AS cp, covar_samp(x, v) AS cs, corr(x, v) AS c
FROM STREAM e WATERMARK ts DELAY OF INTERVAL 0 SECONDS GROUP BY k, window(ts, '1 minute');

CREATE STREAMING TABLE logic AS
SELECT k, window.start AS w, count_if(v > 2) AS ci, bool_and(b) AS ba, bool_or(b) AS bo, every(v > 0) AS ev, some(v > 5) AS so, bit_and(v) AS bitand, bit_or(v) AS bitor,
  bit_xor(l) AS bitxor, min(s) AS min_s, max(s) AS max_s, min(t) AS min_t, max(t) AS max_t, min(b) AS min_b, max_by(s, v) AS s_at_max, min_by(s, t) AS s_at_min,
  max_by(v, s) AS v_at_max
FROM STREAM e WATERMARK ts DELAY OF INTERVAL 0 SECONDS GROUP BY k, window(ts, '1 minute');
