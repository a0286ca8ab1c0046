-- Nexmark averages the closing prices per category over all time: a result that is never final, so no append-mode stream can
-- say it. What can be said is the part under the average: the highest bid of each auction, once, when the auction is over. The
-- average over this table is a batch query: SELECT category, avg(final) FROM q4 GROUP BY category.
CREATE STREAMING TABLE q4 AS
SELECT a.id, a.category, max(b.price) AS final
FROM STREAM auction WATERMARK expires DELAY OF INTERVAL 4 SECONDS AS a
JOIN STREAM bid WATERMARK date_time DELAY OF INTERVAL 4 SECONDS AS b
  ON a.id = b.auction AND b.date_time >= a.date_time AND b.date_time <= a.expires
GROUP BY a.id, a.category, a.expires;
