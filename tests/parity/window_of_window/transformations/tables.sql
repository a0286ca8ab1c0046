CREATE TEMPORARY VIEW e AS
SELECT j.*
FROM (
  SELECT *, from_json(CAST(value AS STRING), 'k STRING, ts TIMESTAMP, v INT') AS j
  FROM STREAM events
);


CREATE STREAMING TABLE tens AS
SELECT window(w, '10 minutes').start AS s, window(w, '10 minutes').end AS e, count(*) AS minutes, sum(n) AS n
FROM (
  SELECT window(ts, '1 minute') AS w, count(*) AS n
  FROM STREAM e WATERMARK ts DELAY OF INTERVAL 20 SECONDS
  GROUP BY window(ts, '1 minute')
)
GROUP BY window(w, '10 minutes');
