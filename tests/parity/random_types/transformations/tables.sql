CREATE TEMPORARY VIEW e AS
SELECT j.*
FROM (
  SELECT *, from_json(CAST(value AS STRING), 'b BOOLEAN, t TINYINT, i INT, l BIGINT, f FLOAT, x DOUBLE, d DECIMAL(7,2), w DECIMAL(28,4), s STRING, y BINARY, day DATE, at TIMESTAMP, a ARRAY<INT>, st STRUCT<p: INT, q: STRING>, ts TIMESTAMP') AS j
  FROM STREAM events
);


CREATE STREAMING TABLE by_numbers AS
SELECT b, t, d, window.start AS s, count(*) AS n, sum(i) AS i, sum(w) AS w, avg(w) AS aw, min(x) AS x, max(f) AS f, count(l) AS l
FROM STREAM e WATERMARK ts DELAY OF INTERVAL 30 SECONDS GROUP BY b, t, d, window(ts, '1 minute');

CREATE STREAMING TABLE by_texts AS
SELECT s, y, day, window.start AS w, count(*) AS n, max(at) AS at, min(l) AS l, max(st) AS st, min(a) AS a, avg(i) AS i, sum(d) AS d
FROM STREAM e WATERMARK ts DELAY OF INTERVAL 30 SECONDS GROUP BY s, y, day, window(ts, '3 minutes', '1 minute');

CREATE STREAMING TABLE by_nested AS
SELECT st, a, f, x, w AS big, window.start AS s, count(*) AS n, count(DISTINCT_SAFE) AS c
FROM (SELECT *, coalesce(s, 'none') AS DISTINCT_SAFE FROM STREAM e) WATERMARK ts DELAY OF INTERVAL 30 SECONDS AS q
GROUP BY st, a, f, x, w, window(ts, '10 minutes');
