CREATE STREAMING TABLE q2 AS
SELECT auction, price
FROM STREAM bid
WHERE auction = 1007 OR auction = 1020 OR auction = 2001 OR auction = 2019 OR auction = 2087;
