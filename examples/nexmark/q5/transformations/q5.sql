CREATE TEMPORARY VIEW bids_per_auction AS
SELECT auction, window(date_time, '10 seconds', '2 seconds') AS w, count(*) AS num
FROM STREAM bid WATERMARK date_time DELAY OF INTERVAL 4 SECONDS
GROUP BY auction, window(date_time, '10 seconds', '2 seconds');

CREATE STREAMING TABLE q5 AS
SELECT hot.w.start AS window_start, entry.auction, entry.num
FROM (SELECT w, collect_list(struct(auction, num)) AS entries, max(num) AS most
      FROM STREAM bids_per_auction GROUP BY w) AS hot
LATERAL VIEW explode(entries) AS entry
WHERE entry.num >= most;
