-- One row per card and minute, when the watermark says that the minute is complete.
CREATE STREAMING TABLE gold
COMMENT 'spending per card in 1-minute windows'
AS SELECT
  card_id,
  window.start AS window_start,
  window.end AS window_end,
  count(*) AS txn_count,
  sum(amount) AS sum_amount,
  avg(amount) AS avg_amount,
  max(amount) AS max_amount
FROM STREAM silver WATERMARK event_time DELAY OF INTERVAL 5 MINUTES
GROUP BY card_id, window(event_time, '1 minute');
