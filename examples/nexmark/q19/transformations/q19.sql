-- Nexmark ranks over all time and takes ranks back. An append-mode stream can say it per window.
CREATE STREAMING TABLE q19 AS
SELECT top.*, rank + 1 AS rank_number
FROM (SELECT slice(sort_array(collect_list(struct(price, date_time, auction, bidder, channel, url, extra)), false), 1, 10) AS tops
      FROM STREAM bid WATERMARK date_time DELAY OF INTERVAL 4 SECONDS
      GROUP BY auction, window(date_time, '10 seconds'))
LATERAL VIEW posexplode(tops) AS rank, top;
