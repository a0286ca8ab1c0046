CREATE TEMPORARY VIEW e AS
SELECT j.*
FROM (
  SELECT *, from_json(CAST(value AS STRING), 'k STRING, ts TIMESTAMP, v INT') AS j
  FROM STREAM events
);


CREATE TEMPORARY VIEW minutes AS
SELECT k, window(ts, '1 minute') AS w, count(*) AS n, sum(v) AS total
FROM STREAM e WATERMARK ts DELAY OF INTERVAL 15 SECONDS
GROUP BY k, window(ts, '1 minute');

CREATE STREAMING TABLE busy AS SELECT k, w.start AS s, n FROM STREAM minutes WHERE n > 1;

CREATE STREAMING TABLE of_a AS SELECT w.end AS e, total FROM STREAM minutes WHERE k = 'a';

CREATE STREAMING TABLE late_ones AS SELECT k, w, total / n AS mean FROM STREAM minutes WHERE w.start >= TIMESTAMP '2026-01-01 00:02:00' AND total IS NOT NULL;
