CREATE TEMPORARY VIEW e AS
SELECT j.*
FROM (
  SELECT *, from_json(CAST(value AS STRING), 'k STRING, local TIMESTAMP_NTZ, v INT') AS j
  FROM STREAM events
);


CREATE STREAMING TABLE per_minute AS
SELECT k, window.start AS s, count(*) AS n, max(local) AS newest, min(local) AS oldest, max_by(local, v) AS at_max
FROM (SELECT k, v, local, CAST(local AS TIMESTAMP) AS ts FROM STREAM e) WATERMARK ts DELAY OF INTERVAL 10 SECONDS AS q
GROUP BY k, window(ts, '1 minute');

CREATE STREAMING TABLE by_local AS
SELECT local, window.start AS s, count(*) AS n
FROM (SELECT k, v, local, CAST(local AS TIMESTAMP) AS ts FROM STREAM e) WATERMARK ts DELAY OF INTERVAL 10 SECONDS AS q
GROUP BY local, window(ts, '1 day');
