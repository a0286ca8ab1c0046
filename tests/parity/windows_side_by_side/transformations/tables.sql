CREATE TEMPORARY VIEW e AS
SELECT j.*
FROM (
  SELECT *, from_json(CAST(value AS STRING), 'k STRING, ts TIMESTAMP, v INT') AS j
  FROM STREAM events
);


CREATE STREAMING TABLE minutes_1 AS
SELECT k, window.start AS s, count(*) AS n, sum(v) AS total
FROM STREAM e WATERMARK ts DELAY OF INTERVAL 30 SECONDS GROUP BY k, window(ts, '1 minute');

CREATE STREAMING TABLE minutes_5 AS
SELECT k, window.start AS s, count(*) AS n, sum(v) AS total
FROM STREAM e WATERMARK ts DELAY OF INTERVAL 30 SECONDS GROUP BY k, window(ts, '5 minutes');

CREATE STREAMING TABLE hours AS
SELECT k, window.start AS s, count(*) AS n, sum(v) AS total
FROM STREAM e WATERMARK ts DELAY OF INTERVAL 30 SECONDS GROUP BY k, window(ts, '1 hour');

CREATE STREAMING TABLE minutes_5_lenient AS
SELECT k, window.start AS s, count(*) AS n, sum(v) AS total
FROM STREAM e WATERMARK ts DELAY OF INTERVAL 10 MINUTES GROUP BY k, window(ts, '5 minutes');
