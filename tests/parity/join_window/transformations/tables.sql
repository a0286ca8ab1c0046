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


CREATE STREAMING TABLE same_minute AS
SELECT l.k, l.w.start AS s, l.v AS lv, r.v AS rv
FROM (SELECT k, v, window(ts, '1 minute') AS w FROM STREAM l WATERMARK ts DELAY OF INTERVAL 30 SECONDS) AS l
JOIN (SELECT k, v, window(ts, '1 minute') AS w FROM STREAM r WATERMARK ts DELAY OF INTERVAL 30 SECONDS) AS r
ON l.k = r.k AND l.w = r.w;

CREATE STREAMING TABLE left_minute AS
SELECT l.k, l.w.start AS s, l.v AS lv, r.v AS rv
FROM (SELECT k, v, window(ts, '1 minute') AS w FROM STREAM l WATERMARK ts DELAY OF INTERVAL 30 SECONDS) AS l
LEFT JOIN (SELECT k, v, window(ts, '1 minute') AS w FROM STREAM r WATERMARK ts DELAY OF INTERVAL 30 SECONDS) AS r
ON l.k = r.k AND l.w = r.w;
