-- Every record as it came, with its coordinates: what all other tables are made of.
CREATE STREAMING TABLE bronze
COMMENT 'raw records with topic, partition, offset and timestamp'
AS SELECT key, value, topic, partition, offset, timestamp
FROM STREAM transactions;

-- The same for eyes and spreadsheets.
CREATE STREAMING TABLE raw_csv
TBLPROPERTIES ('leat.format' = 'csv', 'ignoreLeadingWhiteSpace' = 'false', 'ignoreTrailingWhiteSpace' = 'false')
AS SELECT CAST(key AS STRING) AS key, CAST(value AS STRING) AS value, topic, partition, offset, timestamp
FROM STREAM bronze;
