CREATE TEMPORARY VIEW e AS
SELECT j.*
FROM (
  SELECT *, from_json(CAST(value AS STRING), 'k STRING, ts TIMESTAMP, v INT') AS j
  FROM STREAM events
);


CREATE STREAMING TABLE ten_minutes AS
SELECT window(window_time(w), '10 minutes').start AS s, sum(n) AS n, max(n) AS busiest, sum(total) AS total
FROM (
  SELECT window(ts, '1 minute') AS w, k, count(*) AS n, sum(v) AS total
  FROM STREAM e WATERMARK ts DELAY OF INTERVAL 20 SECONDS
  GROUP BY window(ts, '1 minute'), k
)
GROUP BY window(window_time(w), '10 minutes');

CREATE STREAMING TABLE by_window_time AS
SELECT k, w.end AS ended, window_time(w) AS t, n
FROM (
  SELECT k, w, count(*) AS n
  FROM (SELECT k, window(ts, '5 minutes') AS w FROM STREAM e WATERMARK ts DELAY OF INTERVAL 20 SECONDS)
  GROUP BY k, w
);
