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


CREATE STREAMING TABLE counts AS
SELECT l.k, l.w.start AS s, l.n AS ln, r.n AS rn
FROM (SELECT k, window(ts, '1 minute') AS w, count(*) AS n FROM STREAM l WATERMARK ts DELAY OF INTERVAL 30 SECONDS GROUP BY k, window(ts, '1 minute')) AS l
JOIN (SELECT k, window(ts, '1 minute') AS w, count(*) AS n FROM STREAM r WATERMARK ts DELAY OF INTERVAL 30 SECONDS GROUP BY k, window(ts, '1 minute')) AS r
ON l.k = r.k AND l.w = r.w;
