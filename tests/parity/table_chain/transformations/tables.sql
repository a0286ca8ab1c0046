CREATE STREAMING TABLE bronze AS SELECT CAST(value AS STRING) AS body, offset FROM STREAM events;

CREATE STREAMING TABLE silver AS
SELECT offset, j.k, j.ts, j.v
FROM (SELECT offset, from_json(body, 'k STRING, ts TIMESTAMP, v INT') AS j FROM STREAM bronze)
WHERE j.k IS NOT NULL;

CREATE STREAMING TABLE gold AS
SELECT k, window.start AS s, count(*) AS n, sum(v) AS total
FROM STREAM silver WATERMARK ts DELAY OF INTERVAL 10 SECONDS
GROUP BY k, window(ts, '1 minute');

CREATE STREAMING TABLE best AS
SELECT window.start AS s, max(total) AS total, count(*) AS keys
FROM STREAM gold WATERMARK s DELAY OF INTERVAL 0 SECONDS
GROUP BY window(s, '5 minutes');
