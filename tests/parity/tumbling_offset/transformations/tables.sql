CREATE TEMPORARY VIEW e AS
SELECT j.*
FROM (
  SELECT *, from_json(CAST(value AS STRING), 'k STRING, ts TIMESTAMP, v INT') AS j
  FROM STREAM events
);


CREATE STREAMING TABLE quarter_past AS
SELECT window.start AS s, window.end AS e, count(*) AS n
FROM STREAM e WATERMARK ts DELAY OF INTERVAL 0 SECONDS
GROUP BY window(ts, '1 hour', '1 hour', '15 minutes');

CREATE STREAMING TABLE daily AS
SELECT window.start AS s, count(*) AS n
FROM STREAM e WATERMARK ts DELAY OF INTERVAL 1 HOUR
GROUP BY window(ts, '1 day');

CREATE STREAMING TABLE weekly AS
SELECT window.start AS s, window.end AS e, count(*) AS n
FROM STREAM e WATERMARK ts DELAY OF INTERVAL 1 DAY
GROUP BY window(ts, '1 week');

CREATE STREAMING TABLE before_the_hour AS
SELECT window.start AS s, count(*) AS n
FROM STREAM e WATERMARK ts DELAY OF INTERVAL 0 SECONDS
GROUP BY window(ts, '1 hour', '1 hour', '-10 minutes');
