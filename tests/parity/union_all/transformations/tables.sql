CREATE TEMPORARY VIEW l AS
SELECT j.*
FROM (
  SELECT *, from_json(CAST(value AS STRING), 'k STRING, ts TIMESTAMP, v INT') AS j
  FROM STREAM lefts
);

CREATE TEMPORARY VIEW r AS
SELECT j.*
FROM (
  SELECT *, from_json(CAST(value AS STRING), 'k STRING, ts TIMESTAMP, v DECIMAL(12,3)') AS j
  FROM STREAM rights
);


CREATE STREAMING TABLE counts AS
SELECT k, window.start AS s, count(*) AS n, sum(v) AS total
FROM (
  SELECT k, ts, v FROM STREAM l
  UNION ALL
  SELECT lower(k), ts, v FROM STREAM r WHERE v > 0
) WATERMARK ts DELAY OF INTERVAL 20 SECONDS AS u
GROUP BY k, window(ts, '1 minute');

CREATE STREAMING TABLE rows AS
SELECT k, v, 'left' AS side FROM STREAM l
UNION ALL
SELECT k, v, 'right' FROM STREAM r;
