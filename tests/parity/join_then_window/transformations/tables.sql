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


CREATE STREAMING TABLE clicks AS
SELECT k, window.start AS s, count(*) AS n, sum(rv) AS total
FROM (
  SELECT l.k, l.ts, r.v AS rv
  FROM STREAM l WATERMARK ts DELAY OF INTERVAL 30 SECONDS AS l
  JOIN STREAM r WATERMARK ts DELAY OF INTERVAL 30 SECONDS AS r
  ON l.k = r.k AND r.ts BETWEEN l.ts AND l.ts + INTERVAL 1 MINUTE
)
GROUP BY k, window(ts, '1 minute');
