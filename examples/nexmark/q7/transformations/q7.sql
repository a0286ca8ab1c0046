CREATE TEMPORARY VIEW timed_bid AS
SELECT * FROM STREAM bid WATERMARK date_time DELAY OF INTERVAL 4 SECONDS;

CREATE STREAMING TABLE q7 AS
SELECT b.auction, b.price, b.bidder, b.date_time
FROM STREAM timed_bid AS b
JOIN (SELECT max(price) AS max_price, window(date_time, '10 seconds') AS w
      FROM STREAM timed_bid GROUP BY window(date_time, '10 seconds')) AS top
  ON b.price = top.max_price AND window(b.date_time, '10 seconds') = top.w;
