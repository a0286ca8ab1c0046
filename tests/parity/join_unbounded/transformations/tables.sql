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

CREATE STREAMING TABLE with_watermarks AS
SELECT l.k, l.ts AS lts, l.v AS lv, r.k AS rk, r.ts AS rts, r.v AS rv
FROM STREAM l WATERMARK ts DELAY OF INTERVAL 30 SECONDS AS l
JOIN STREAM r WATERMARK ts DELAY OF INTERVAL 30 SECONDS AS r
ON l.k = r.k;

CREATE STREAMING TABLE without AS
SELECT l.k, l.ts AS lts, l.v AS lv, r.k AS rk, r.ts AS rts, r.v AS rv
FROM STREAM l JOIN STREAM r ON l.k = r.k;
