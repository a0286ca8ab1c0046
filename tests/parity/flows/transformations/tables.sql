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


CREATE STREAMING TABLE counts;

CREATE FLOW from_left AS INSERT INTO counts BY NAME
SELECT k, window.start AS s, count(*) AS n, 'left' AS side
FROM STREAM l WATERMARK ts DELAY OF INTERVAL 20 SECONDS
GROUP BY k, window(ts, '1 minute');

CREATE FLOW from_right AS INSERT INTO counts BY NAME
SELECT 'right' AS side, k, count(*) AS n, window.start AS s
FROM STREAM r WATERMARK ts DELAY OF INTERVAL 20 SECONDS
GROUP BY k, window(ts, '1 minute');
