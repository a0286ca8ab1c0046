CREATE TEMPORARY VIEW e AS
SELECT j.*
FROM (
  SELECT *, from_json(CAST(value AS STRING), 'k STRING, ts TIMESTAMP, v INT') AS j
  FROM STREAM events
);


CREATE STREAMING TABLE hourly AS
SELECT window(window_time(session), '10 minutes').start AS s, count(*) AS sessions, sum(n) AS n, max(n) AS longest
FROM (
  SELECT k, session_window(ts, '50 seconds') AS session, count(*) AS n
  FROM STREAM e WATERMARK ts DELAY OF INTERVAL 20 SECONDS
  GROUP BY k, session_window(ts, '50 seconds')
)
GROUP BY window(window_time(session), '10 minutes');
