CREATE STREAMING TABLE per_minute AS
SELECT CAST(key AS STRING) AS k, window.start AS s, count(*) AS n, max(offset) AS newest, min(partition) AS p, count(value) AS with_value
FROM STREAM events WATERMARK timestamp DELAY OF INTERVAL 30 SECONDS
GROUP BY CAST(key AS STRING), window(timestamp, '1 minute');

CREATE STREAMING TABLE records AS
SELECT key, value, topic, partition, offset, timestamp, timestampType FROM STREAM events;
