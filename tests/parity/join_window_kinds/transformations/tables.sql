CREATE TEMPORARY VIEW l AS
SELECT j.*
FROM (
  SELECT *, from_json(CAST(value AS STRING), 'k STRING, ts TIMESTAMP, v INT') AS j
  FROM STREAM lefts
);

CREATE TEMPORARY VIEW r AS
SELECT j.*
FROM (
  SELECT *, from_json(CAST(value AS STRING), 'k STRING, ts TIMESTAMP, v INT') AS j
  FROM STREAM rights
);


CREATE TEMPORARY VIEW lw AS SELECT k, v, window(ts, '1 minute') AS w FROM STREAM l WATERMARK ts DELAY OF INTERVAL 30 SECONDS;
CREATE TEMPORARY VIEW rw AS SELECT k, v, window(ts, '1 minute') AS w FROM STREAM r WATERMARK ts DELAY OF INTERVAL 30 SECONDS;

CREATE STREAMING TABLE right_rows AS
SELECT lw.k, lw.v AS lv, rw.k AS rk, rw.w.start AS s, rw.v AS rv FROM STREAM lw RIGHT JOIN STREAM rw ON lw.k = rw.k AND lw.w = rw.w;

CREATE STREAMING TABLE full_rows AS
SELECT lw.k, lw.w.end AS le, lw.v AS lv, rw.k AS rk, rw.w.start AS rs, rw.v AS rv FROM STREAM lw FULL JOIN STREAM rw ON lw.k = rw.k AND lw.w = rw.w;

CREATE STREAMING TABLE semi_rows AS
SELECT lw.k, lw.w.start AS s, lw.v FROM STREAM lw LEFT SEMI JOIN STREAM rw ON lw.k = rw.k AND lw.w = rw.w AND lw.v < rw.v;
