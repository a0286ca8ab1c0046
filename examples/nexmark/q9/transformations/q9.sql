-- Nexmark ranks with ROW_NUMBER() and takes its answer back when a better bid comes; here it comes once, when the auction is
-- over.
CREATE STREAMING TABLE q9 AS
SELECT id, item_name, description, initial_bid, reserve, date_time, expires, seller, category,
  best.auction, best.bidder, best.price, best.date_time AS bid_date_time
FROM (
  SELECT a.id, a.item_name, a.description, a.initial_bid, a.reserve, a.date_time, a.expires, a.seller, a.category,
    max_by(struct(b.auction, b.bidder, b.price, b.date_time), struct(b.price, -unix_micros(b.date_time))) AS best
  FROM STREAM auction WATERMARK expires DELAY OF INTERVAL 4 SECONDS AS a
  JOIN STREAM bid WATERMARK date_time DELAY OF INTERVAL 4 SECONDS AS b
    ON a.id = b.auction AND b.date_time >= a.date_time AND b.date_time <= a.expires
  GROUP BY a.id, a.item_name, a.description, a.initial_bid, a.reserve, a.date_time, a.expires, a.seller, a.category
);
