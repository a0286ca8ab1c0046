CREATE TEMPORARY VIEW e AS
SELECT j.*
FROM (
  SELECT *, from_json(CAST(value AS STRING), 'k STRING, ts TIMESTAMP, v INT') AS j
  FROM STREAM events
);


CREATE STREAMING TABLE teams AS
SELECT t.team, window.start AS s, count(*) AS n, sum(e.v * t.weight) AS total
FROM STREAM e WATERMARK ts DELAY OF INTERVAL 10 SECONDS AS e
LEFT JOIN teams_of AS t ON e.k = t.member
GROUP BY t.team, window(ts, '1 minute');

CREATE STREAMING TABLE right_rows AS
SELECT t.team, e.k, e.v FROM teams_of AS t RIGHT JOIN STREAM e ON e.k = t.member AND t.weight > 1;
