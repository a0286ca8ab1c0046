CREATE TEMPORARY VIEW e AS
SELECT j.*
FROM (
  SELECT *, from_json(CAST(value AS STRING), 's STRUCT<a: INT, b: STRING>, l ARRAY<INT>, n STRUCT<x: ARRAY<STRING>, y: DECIMAL(5,1)>, ts TIMESTAMP, v INT') AS j
  FROM STREAM events
);


CREATE STREAMING TABLE by_struct AS
SELECT s, window.start AS w, count(*) AS n, sum(v) AS total
FROM STREAM e WATERMARK ts DELAY OF INTERVAL 0 SECONDS GROUP BY s, window(ts, '1 minute');

CREATE STREAMING TABLE by_array AS
SELECT l, window.start AS w, count(*) AS n
FROM STREAM e WATERMARK ts DELAY OF INTERVAL 0 SECONDS GROUP BY l, window(ts, '1 minute');

CREATE STREAMING TABLE by_nested AS
SELECT n, s.a, window.start AS w, count(*) AS c, max(s) AS high, min(l) AS low
FROM STREAM e WATERMARK ts DELAY OF INTERVAL 0 SECONDS GROUP BY n, s.a, window(ts, '1 minute');
