CREATE TEMPORARY VIEW e AS
SELECT j.*
FROM (
  SELECT *, from_json(CAST(value AS STRING), 'k STRING, ts TIMESTAMP, v INT, items ARRAY<INT>') AS j
  FROM STREAM events
);


CREATE STREAMING TABLE computed AS
SELECT u, window.start AS s, count(*) AS n
FROM (SELECT upper(k) AS u, ts, v * 2 AS w FROM STREAM e WATERMARK ts DELAY OF INTERVAL 10 SECONDS)
WHERE w > 0 AND u = 'A'
GROUP BY u, window(ts, '1 minute');

CREATE STREAMING TABLE decoded AS
SELECT j.k, window.start AS s, count(*) AS n
FROM (SELECT timestamp, from_json(CAST(value AS STRING), 'k STRING, v INT') AS j FROM STREAM events WATERMARK timestamp DELAY OF INTERVAL 10 SECONDS)
WHERE j.v > 0
GROUP BY j.k, window(timestamp, '1 minute');

CREATE STREAMING TABLE exploded AS
SELECT k, i, window.start AS s, count(*) AS n
FROM (SELECT k, ts, v, explode(items) AS i FROM STREAM e WATERMARK ts DELAY OF INTERVAL 10 SECONDS)
WHERE v > 0 AND i < 3
GROUP BY k, i, window(ts, '1 minute');

CREATE STREAMING TABLE united AS
SELECT k, window.start AS s, count(*) AS n
FROM (SELECT k, ts, v FROM STREAM e WATERMARK ts DELAY OF INTERVAL 10 SECONDS UNION ALL SELECT k, ts, 1 AS v FROM STREAM e WATERMARK ts DELAY OF INTERVAL 10 SECONDS)
WHERE v > 0 AND k = 'a'
GROUP BY k, window(ts, '1 minute');

CREATE STREAMING TABLE after_time AS
SELECT k, window.start AS s, count(*) AS n
FROM STREAM e WATERMARK ts DELAY OF INTERVAL 10 SECONDS
WHERE ts < TIMESTAMP '2026-01-01 00:30:00' AND (v > 0 OR ts IS NULL)
GROUP BY k, window(ts, '1 minute');

CREATE STREAMING TABLE having_key AS
SELECT k, window.start AS s, count(*) AS n
FROM STREAM e WATERMARK ts DELAY OF INTERVAL 10 SECONDS
GROUP BY k, window(ts, '1 minute')
HAVING k = 'a';

CREATE STREAMING TABLE distinct_key AS
SELECT k, v FROM (SELECT DISTINCT k, v, ts FROM STREAM e WATERMARK ts DELAY OF INTERVAL 10 SECONDS) WHERE v > 0;

CREATE STREAMING TABLE base AS
SELECT k, window.start AS s, count(*) AS n
FROM STREAM e WATERMARK ts DELAY OF INTERVAL 10 SECONDS GROUP BY k, window(ts, '1 minute');

CREATE STREAMING TABLE of_base AS SELECT k, s, n FROM STREAM base WHERE k = 'a';
