CREATE TEMPORARY VIEW e AS
SELECT offset, j.*
FROM (
  SELECT *, from_json(CAST(value AS STRING), 'k STRING, ts TIMESTAMP, v INT, x DOUBLE, d DECIMAL(6,2), b BOOLEAN, a ARRAY<INT>, _corrupt_record STRING') AS j
  FROM STREAM events
);


CREATE STREAMING TABLE plain AS
SELECT offset, k, ts, v, x, d, b, a, _corrupt_record FROM STREAM e;

CREATE STREAMING TABLE counts AS
SELECT k, window.start AS s, count(*) AS n, count(v) AS nv, sum(d) AS d, count_if(b) AS b, count(_corrupt_record) AS corrupt
FROM STREAM e WATERMARK ts DELAY OF INTERVAL 0 SECONDS
GROUP BY k, window(ts, '1 hour');
