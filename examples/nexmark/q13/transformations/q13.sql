CREATE STREAMING TABLE q13 AS
SELECT b.auction, b.bidder, b.price, b.date_time, s.value
FROM STREAM bid AS b JOIN side_input AS s ON b.auction % 10000 = s.key;
