-- Nexmark keeps the last bid of all time and takes it back when another comes. An append-mode stream can say it per window.
CREATE STREAMING TABLE q18 AS
SELECT last.*
FROM (SELECT max_by(struct(auction, bidder, price, channel, url, date_time, extra), struct(date_time, price)) AS last
      FROM STREAM bid WATERMARK date_time DELAY OF INTERVAL 4 SECONDS
      GROUP BY bidder, auction, window(date_time, '10 seconds'));
