CREATE STREAMING TABLE q11 AS
SELECT bidder, count(*) AS bid_count, session_window.start AS start_time, session_window.end AS end_time
FROM STREAM bid WATERMARK date_time DELAY OF INTERVAL 4 SECONDS
GROUP BY bidder, session_window(date_time, '10 seconds');
