CREATE TEMPORARY VIEW e AS
SELECT j.*
FROM (
  SELECT *, from_json(CAST(value AS STRING), 'k STRING, ts TIMESTAMP, v INT') AS j
  FROM STREAM events
);


CREATE STREAMING TABLE active AS
SELECT k, session_window.start AS s, session_window.end AS e, sum(n) AS n, count(*) AS minutes
FROM (
  SELECT k, window(ts, '1 minute') AS w, count(*) AS n
  FROM STREAM e WATERMARK ts DELAY OF INTERVAL 20 SECONDS
  GROUP BY k, window(ts, '1 minute')
)
GROUP BY k, session_window(window_time(w), '90 seconds');
