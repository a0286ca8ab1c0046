CREATE TEMPORARY VIEW e AS
SELECT j.*
FROM (
  SELECT *, from_json(CAST(value AS STRING), 'k STRING, t STRING, v INT') AS j
  FROM STREAM events
);


CREATE TEMPORARY VIEW timed AS
SELECT k, v, CAST(t AS TIMESTAMP) AS ts FROM STREAM e;

CREATE TEMPORARY VIEW marked AS
SELECT k, ts, v FROM STREAM timed WATERMARK ts DELAY OF INTERVAL 15 SECONDS;

CREATE STREAMING TABLE on_view AS
SELECT k, window.start AS s, count(*) AS n FROM STREAM marked GROUP BY k, window(ts, '1 minute');

CREATE STREAMING TABLE on_subquery AS
SELECT k, window.start AS s, count(*) AS n
FROM (SELECT k, CAST(t AS TIMESTAMP) AS at, v FROM STREAM e WHERE v >= 0) WATERMARK at DELAY OF INTERVAL 15 SECONDS AS q
GROUP BY k, window(at, '1 minute');

CREATE STREAMING TABLE on_expression AS
SELECT k, window.start AS s, count(*) AS n
FROM STREAM e WATERMARK CAST(t AS TIMESTAMP) AS at DELAY OF INTERVAL '15' SECOND AS x
GROUP BY k, window(at, '1 minute');

CREATE STREAMING TABLE through_projection AS
SELECT k, window.start AS s, sum(w) AS total
FROM (SELECT upper(k) AS k, ts AS moved, v * 2 AS w FROM STREAM marked WHERE v % 2 = 0)
GROUP BY k, window(moved, '1 minute');
