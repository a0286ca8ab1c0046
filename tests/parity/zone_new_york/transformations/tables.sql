CREATE TEMPORARY VIEW e AS
SELECT j.*
FROM (
  SELECT *, from_json(CAST(value AS STRING), 'k STRING, ts TIMESTAMP, t STRING') AS j
  FROM STREAM events
);


CREATE STREAMING TABLE hourly AS
SELECT window.start AS s, count(*) AS n, min(hour(ts)) AS first_hour, max(CAST(ts AS STRING)) AS newest
FROM STREAM e WATERMARK ts DELAY OF INTERVAL 0 SECONDS
GROUP BY window(ts, '1 hour');

CREATE STREAMING TABLE six_hourly AS
SELECT window.start AS s, CAST(window.start AS STRING) AS s_text, hour(window.end) AS e_hour, count(*) AS n
FROM STREAM e WATERMARK ts DELAY OF INTERVAL 0 SECONDS
GROUP BY window(ts, '6 hours');

CREATE STREAMING TABLE daily AS
SELECT window.start AS s, to_date(ts) AS d, count(*) AS n
FROM STREAM e WATERMARK ts DELAY OF INTERVAL 1 DAY
GROUP BY window(ts, '1 day'), to_date(ts);

CREATE STREAMING TABLE plain AS
SELECT k, ts, CAST(ts AS STRING) AS text, CAST(t AS TIMESTAMP) AS local, date_trunc('DAY', ts) AS day, date_trunc('HOUR', ts) AS hour,
  dayofweek(ts) AS dow, unix_timestamp(ts) AS secs, ts + INTERVAL 1 DAY AS tomorrow, ts + INTERVAL 24 HOURS AS later,
  date_format(ts, 'yyyy-MM-dd HH:mm:ss') AS formatted, to_utc_timestamp(ts, 'America/New_York') AS utc
FROM STREAM e;
