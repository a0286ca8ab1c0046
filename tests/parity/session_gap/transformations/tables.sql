CREATE TEMPORARY VIEW e AS
SELECT j.*
FROM (
  SELECT *, from_json(CAST(value AS STRING), 'k STRING, ts TIMESTAMP, v INT, gap STRING') AS j
  FROM STREAM events
);


CREATE STREAMING TABLE visits AS
SELECT k, session_window.start AS s, session_window.end AS e, count(*) AS n, collect_list(v) AS vs
FROM STREAM e WATERMARK ts DELAY OF INTERVAL 30 SECONDS
GROUP BY k, session_window(ts, CASE WHEN k = 'a' THEN '10 seconds' WHEN v < 0 THEN '2 minutes' ELSE '1 minute' END);

CREATE STREAMING TABLE by_column AS
SELECT session_window.start AS s, session_window.end AS e, k, count(*) AS n
FROM STREAM e WATERMARK ts DELAY OF INTERVAL 30 SECONDS
GROUP BY session_window(ts, gap), k;
