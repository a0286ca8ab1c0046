-- FAILFAST: a record that is no such JSON, or whose times and numbers are none, becomes a dead letter.
CREATE TEMPORARY VIEW payments AS
SELECT
  topic, partition, offset,
  from_json(CAST(value AS STRING),
    'txn_id STRING, event_ts TIMESTAMP, card_id STRING, merchant STRING, amount DECIMAL(12,2), currency STRING, country STRING',
    map('mode', 'FAILFAST')) AS p
FROM STREAM transactions;

-- Who reads a card's alerts finds them in order: the key is the card.
CREATE TEMPORARY VIEW alerts_out AS
SELECT
  p.card_id AS key,
  to_json(named_struct('txn_id', p.txn_id, 'at', p.event_ts, 'merchant', p.merchant, 'amount', p.amount,
                       'currency', p.currency, 'country', p.country)) AS value,
  array(named_struct('key', 'rule', 'value', CAST('large-amount' AS BINARY)),
        named_struct('key', 'record', 'value', CAST(concat_ws('/', topic, partition, offset) AS BINARY))) AS headers
FROM STREAM payments
WHERE p.amount >= 1000;
