CREATE TEMPORARY VIEW e AS
SELECT j.*
FROM (
  SELECT *, from_json(CAST(value AS STRING), 'k STRING, ts TIMESTAMP, v INT, d DECIMAL(10,2)') AS j
  FROM STREAM events
);


CREATE STREAMING TABLE tumbling AS
SELECT k, window.start AS s, count(*) AS n, sum(v) AS total, avg(d) AS mean, min(v) AS low, max(d) AS high
FROM STREAM e WATERMARK ts DELAY OF INTERVAL 90 SECONDS GROUP BY k, window(ts, '1 minute');

CREATE STREAMING TABLE sliding AS
SELECT k, window.start AS s, count(*) AS n, sum(d) AS total, min(v) AS low, max(v) AS high
FROM STREAM e WATERMARK ts DELAY OF INTERVAL 90 SECONDS GROUP BY k, window(ts, '5 minutes', '70 seconds');

CREATE STREAMING TABLE sessions AS
SELECT k, session_window.start AS s, session_window.end AS e, count(*) AS n, sum(v) AS total
FROM STREAM e WATERMARK ts DELAY OF INTERVAL 90 SECONDS GROUP BY k, session_window(ts, '20 seconds');

CREATE STREAMING TABLE chained AS
SELECT window(w, '10 minutes').start AS s, sum(n) AS n, count(*) AS c
FROM (SELECT k, window(ts, '1 minute') AS w, count(*) AS n FROM STREAM e WATERMARK ts DELAY OF INTERVAL 90 SECONDS GROUP BY k, window(ts, '1 minute'))
GROUP BY window(w, '10 minutes');
