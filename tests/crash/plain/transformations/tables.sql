CREATE STREAMING TABLE records AS
SELECT topic, partition, offset, CAST(value AS STRING) AS value FROM STREAM numbers;

CREATE STREAMING TABLE parted PARTITIONED BY (bucket) AS
SELECT topic, partition, offset, CAST(value AS STRING) AS value, offset % 3 AS bucket FROM STREAM numbers;
