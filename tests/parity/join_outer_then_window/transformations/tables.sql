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
SELECT s.k, window.start AS s, count(*) AS n, count(rv) AS hit
FROM (
  SELECT l.k, l.ts, r.v AS rv
  FROM STREAM l WATERMARK ts DELAY OF INTERVAL 30 SECONDS AS l
  LEFT JOIN STREAM r WATERMARK ts DELAY OF INTERVAL 30 SECONDS AS r
  ON l.k = r.k AND r.ts BETWEEN l.ts AND l.ts + INTERVAL 1 MINUTE
) AS s
GROUP BY s.k, window(s.ts, '1 minute');
