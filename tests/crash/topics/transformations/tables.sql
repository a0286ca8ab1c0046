CREATE TEMPORARY VIEW records AS
SELECT key, concat_ws(' ', partition, offset, CAST(value AS STRING)) AS value FROM STREAM numbers;

CREATE TEMPORARY VIEW odd_records AS
SELECT key, concat_ws(' ', partition, offset, CAST(value AS STRING)) AS value FROM STREAM numbers WHERE offset % 2 = 1;

CREATE STREAMING TABLE kept AS
SELECT topic, partition, offset, CAST(value AS STRING) AS value FROM STREAM numbers;
