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


CREATE STREAMING TABLE on_the_right AS
SELECT l.k, l.ts AS lts, l.v AS lv, r.k AS rk, r.ts AS rts, r.v AS rv
FROM STREAM l JOIN STREAM r WATERMARK ts DELAY OF INTERVAL 30 SECONDS AS r
ON l.k = r.k AND r.ts >= l.ts AND r.ts <= l.ts + INTERVAL 1 MINUTE;

CREATE STREAMING TABLE on_the_left AS
SELECT l.k, l.ts AS lts, l.v AS lv, r.k AS rk, r.ts AS rts, r.v AS rv
FROM STREAM l WATERMARK ts DELAY OF INTERVAL 30 SECONDS AS l JOIN STREAM r
ON l.k = r.k AND r.ts >= l.ts AND r.ts <= l.ts + INTERVAL 1 MINUTE;
