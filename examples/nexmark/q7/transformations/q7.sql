-- Spark allows one event time per stream in a join: the bids keep their window, and of their time its value.
CREATE TEMPORARY VIEW timed_bid AS
SELECT auction, price, bidder, date_time + INTERVAL 0 SECONDS AS bid_time, window(date_time, '10 seconds') AS w
FROM STREAM bid WATERMARK date_time DELAY OF INTERVAL 4 SECONDS;

CREATE STREAMING TABLE q7 AS
SELECT b.auction, b.price, b.bidder, b.bid_time AS date_time
FROM STREAM timed_bid AS b
JOIN (SELECT max(price) AS max_price, w FROM STREAM timed_bid GROUP BY w) AS top
  ON b.price = top.max_price AND b.w = top.w;
