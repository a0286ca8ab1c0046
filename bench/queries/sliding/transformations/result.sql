CREATE TEMPORARY VIEW payments AS
SELECT txn.txn_id, txn.card_id, txn.amount, try_cast(txn.event_ts AS TIMESTAMP) AS event_time
FROM (SELECT from_json(CAST(value AS STRING), 'txn_id STRING, event_ts STRING, card_id STRING, amount DECIMAL(12,2)') AS txn
      FROM STREAM transactions);

CREATE STREAMING TABLE result
AS SELECT card_id, window.start AS window_start, count(*) AS payments, sum(amount) AS amount
FROM STREAM payments WATERMARK event_time DELAY OF INTERVAL 1 MINUTE
GROUP BY card_id, window(event_time, '1 hour', '1 minute');
