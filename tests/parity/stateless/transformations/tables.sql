CREATE TEMPORARY VIEW e AS
SELECT j.*
FROM (
  SELECT *, from_json(CAST(value AS STRING), 'k STRING, ts TIMESTAMP, v INT, d DECIMAL(9,3), s STRING') AS j
  FROM STREAM events
);


CREATE STREAMING TABLE plain AS
SELECT upper(k) AS k, v % 3 AS m, v / 2 AS half, v div 2 AS whole, d * 1.5 AS scaled, round(d, 1) AS rounded, CAST(d AS INT) AS cut, concat_ws('-', k, s) AS text, length(s) AS len,
  CASE WHEN v > 3 THEN 'big' WHEN v IS NULL THEN 'none' ELSE 'small' END AS size, date_add(CAST(ts AS DATE), v) AS later, coalesce(s, k, '?') AS c, try_cast(s AS INT) AS parsed,
  struct(k, v) AS pair, array(v, v + 1) AS both, ts
FROM STREAM e WHERE k <> 'skip' OR v > 1;
