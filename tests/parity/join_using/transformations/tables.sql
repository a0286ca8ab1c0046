CREATE TEMPORARY VIEW l AS
SELECT j.*
FROM (
  SELECT *, from_json(CAST(value AS STRING), 'k STRING, g INT, ts TIMESTAMP, v INT') AS j
  FROM STREAM lefts
);

CREATE TEMPORARY VIEW r AS
SELECT j.*
FROM (
  SELECT *, from_json(CAST(value AS STRING), 'k STRING, g BIGINT, ts TIMESTAMP, w DECIMAL(5,1)') AS j
  FROM STREAM rights
);


CREATE STREAMING TABLE used AS
SELECT k, g, v, w
FROM STREAM l JOIN STREAM r USING (k, g);

CREATE STREAMING TABLE casted AS
SELECT l.k, l.g, r.g AS rg, v, w
FROM STREAM l JOIN STREAM r ON upper(l.k) = upper(r.k) AND l.g = r.g AND l.v = r.w;
