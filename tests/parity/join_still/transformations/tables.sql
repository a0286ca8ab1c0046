CREATE TEMPORARY VIEW e AS
SELECT j.*
FROM (
  SELECT *, from_json(CAST(value AS STRING), 'k STRING, ts TIMESTAMP, v INT') AS j
  FROM STREAM events
);


CREATE STREAMING TABLE inner_rows AS
SELECT e.k, e.v, p.name, p.grade FROM STREAM e JOIN people AS p ON e.k = p.id;

CREATE STREAMING TABLE left_rows AS
SELECT e.k, e.v, p.name, p.grade FROM STREAM e LEFT JOIN people AS p ON e.k = p.id AND e.v > 1;

CREATE STREAMING TABLE semi_rows AS
SELECT e.k, e.v FROM STREAM e LEFT SEMI JOIN people AS p ON e.k = p.id;

CREATE STREAMING TABLE anti_rows AS
SELECT e.k, e.v FROM STREAM e LEFT ANTI JOIN people AS p ON e.k = p.id;

CREATE STREAMING TABLE null_safe AS
SELECT e.k, e.v, p.name FROM STREAM e JOIN people AS p ON e.k <=> p.id;
