CREATE TEMPORARY VIEW e AS
SELECT j.*
FROM (
  SELECT *, from_json(CAST(value AS STRING), 'k STRING, ts TIMESTAMP, items ARRAY<STRUCT<name: STRING, price: DECIMAL(6,2), at: TIMESTAMP>>') AS j
  FROM STREAM events
);


CREATE STREAMING TABLE items AS
SELECT k, i.name, window.start AS s, count(*) AS n, sum(i.price) AS total
FROM STREAM e WATERMARK ts DELAY OF INTERVAL 10 SECONDS LATERAL VIEW explode(items) AS i
GROUP BY k, i.name, window(ts, '1 minute');

CREATE STREAMING TABLE outer_items AS
SELECT i.name, window.start AS s, count(*) AS n, max(p) AS last_place
FROM STREAM e WATERMARK ts DELAY OF INTERVAL 10 SECONDS LATERAL VIEW OUTER posexplode(items) AS p, i
GROUP BY i.name, window(ts, '1 minute');

CREATE STREAMING TABLE by_item_time AS
SELECT name, window.start AS s, count(*) AS n
FROM (SELECT i.name, i.at FROM (SELECT explode(items) AS i FROM STREAM e)) WATERMARK at DELAY OF INTERVAL 10 SECONDS
GROUP BY name, window(at, '1 minute');
