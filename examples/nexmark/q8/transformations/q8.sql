CREATE STREAMING TABLE q8 AS
SELECT p.id, p.name, p.w.start AS start_time
FROM (SELECT id, name, window(date_time, '10 seconds') AS w
      FROM STREAM person WATERMARK date_time DELAY OF INTERVAL 4 SECONDS
      GROUP BY id, name, window(date_time, '10 seconds')) AS p
JOIN (SELECT seller, window(date_time, '10 seconds') AS w
      FROM STREAM auction WATERMARK date_time DELAY OF INTERVAL 4 SECONDS
      GROUP BY seller, window(date_time, '10 seconds')) AS a
  ON p.id = a.seller AND p.w = a.w;
