CREATE TEMPORARY VIEW decoded AS
SELECT from_json(CAST(value AS STRING), 'id BIGINT, at_us BIGINT, card STRING, amount DECIMAL(12,2), kind STRING') AS r
FROM STREAM events;

CREATE TEMPORARY VIEW payments AS
SELECT r.card AS key,
       concat('{"id":', r.id, ',"at_us":', r.at_us, ',"cents":', CAST(r.amount * 100 AS BIGINT), '}') AS value
FROM STREAM decoded
WHERE r.kind = 'payment';
