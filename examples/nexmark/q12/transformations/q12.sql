-- Nexmark counts in processing time. A replay of a topic has no such thing; the time at which Kafka took the record has
-- the same meaning and gives the same rows every time.
CREATE STREAMING TABLE q12 AS
SELECT bidder, count(*) AS bid_count, window.start AS start_time, window.end AS end_time
FROM STREAM bid WATERMARK arrived_at DELAY OF INTERVAL 4 SECONDS
GROUP BY bidder, window(arrived_at, '10 seconds');
