CREATE TEMPORARY VIEW e AS
SELECT j.*
FROM (
  SELECT *, from_json(CAST(value AS STRING), 'k STRING, ts TIMESTAMP, v INT') AS j
  FROM STREAM events
);


CREATE STREAMING TABLE ten_by_three AS
SELECT window.start AS s, window.end AS e, count(*) AS n, sum(v) AS total, avg(v) AS mean
FROM STREAM e WATERMARK ts DELAY OF INTERVAL 1 MINUTE
GROUP BY window(ts, '10 minutes', '3 minutes');

CREATE STREAMING TABLE seven_by_two AS
SELECT k, window.start AS s, count(*) AS n, max(v) AS high
FROM STREAM e WATERMARK ts DELAY OF INTERVAL 1 MINUTE
GROUP BY window(ts, '7 seconds', '2 seconds', '1 second'), k;
