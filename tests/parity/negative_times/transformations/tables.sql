CREATE TEMPORARY VIEW e AS
SELECT j.*
FROM (
  SELECT *, from_json(CAST(value AS STRING), 'k STRING, ts TIMESTAMP, v INT') AS j
  FROM STREAM events
);


CREATE STREAMING TABLE hourly AS
SELECT window.start AS s, window.end AS e, count(*) AS n
FROM STREAM e WATERMARK ts DELAY OF INTERVAL 10 DAYS
GROUP BY window(ts, '7 hours');

CREATE STREAMING TABLE slid AS
SELECT window.start AS s, count(*) AS n
FROM STREAM e WATERMARK ts DELAY OF INTERVAL 10 DAYS
GROUP BY window(ts, '7 hours', '3 hours', '1 hour');

CREATE STREAMING TABLE sessions AS
SELECT k, session_window.start AS s, session_window.end AS e, count(*) AS n
FROM STREAM e WATERMARK ts DELAY OF INTERVAL 0 SECONDS
GROUP BY k, session_window(ts, '1 hour');

CREATE STREAMING TABLE by_time AS
SELECT ts, count(*) AS n FROM STREAM e WATERMARK ts DELAY OF INTERVAL 1 DAY GROUP BY ts;

CREATE STREAMING TABLE plain AS
SELECT k, ts, CAST(ts AS STRING) AS text, unix_micros(ts) AS us, CAST(ts AS BIGINT) AS secs, date_trunc('HOUR', ts) AS h, CAST(ts AS DATE) AS d
FROM STREAM e;
