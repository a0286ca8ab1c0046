CREATE TEMPORARY VIEW l AS
SELECT j.*
FROM (
  SELECT *, from_json(CAST(value AS STRING), 'k STRING, g INT, ts TIMESTAMP, v INT') AS j
  FROM STREAM lefts
);

CREATE TEMPORARY VIEW r AS
SELECT j.*
FROM (
  SELECT *, from_json(CAST(value AS STRING), 'k STRING, ts TIMESTAMP, v INT') AS j
  FROM STREAM rights
);


CREATE STREAMING TABLE distinct_minutes AS
SELECT k, window.start AS s, count(*) AS n, sum(v) AS total
FROM (SELECT DISTINCT k, ts, v FROM STREAM l WATERMARK ts DELAY OF INTERVAL 20 SECONDS)
GROUP BY k, window(ts, '1 minute');

CREATE STREAMING TABLE joined_minutes AS
SELECT g, window.start AS s, count(*) AS n, sum(rv) AS total
FROM (
  SELECT l.g, l.ts, r.v AS rv
  FROM STREAM l WATERMARK ts DELAY OF INTERVAL 20 SECONDS AS l
  LEFT JOIN STREAM r WATERMARK ts DELAY OF INTERVAL 40 SECONDS AS r
  ON l.k = r.k AND r.ts BETWEEN l.ts - INTERVAL 10 SECONDS AND l.ts + INTERVAL 20 SECONDS
)
GROUP BY g, window(ts, '1 minute');

CREATE STREAMING TABLE sessions AS
SELECT g, session_window.start AS s, session_window.end AS e, sum(n) AS n
FROM (
  SELECT g, window(ts, '10 seconds') AS w, count(*) AS n
  FROM STREAM l WATERMARK ts DELAY OF INTERVAL 20 SECONDS
  GROUP BY g, window(ts, '10 seconds')
)
GROUP BY g, session_window(window_time(w), '15 seconds');
