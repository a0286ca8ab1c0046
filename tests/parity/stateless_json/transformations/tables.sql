CREATE TEMPORARY VIEW texts AS SELECT offset, CAST(value AS STRING) AS v FROM STREAM events;

-- What every table below starts from.
CREATE TEMPORARY VIEW e AS
SELECT offset, v, j.* FROM (
  SELECT offset, v, from_json(v, 'id INT, i INT, d DECIMAL(10,2), x DOUBLE, b BOOLEAN, s STRING, t TIMESTAMP, day DATE, a ARRAY<INT>, m MAP<STRING, INT>, p STRUCT<q: STRING, r: ARRAY<STRUCT<u: INT>>>') AS j
  FROM STREAM texts
);

CREATE STREAMING TABLE whole_numbers AS
SELECT offset, j.* FROM (SELECT offset, from_json(v, 'id TINYINT, i BIGINT, d INT, x SMALLINT') AS j FROM STREAM texts);

CREATE STREAMING TABLE fractions AS
SELECT offset, j.* FROM (SELECT offset, from_json(v, 'id DOUBLE, i FLOAT, d DOUBLE, x FLOAT') AS j FROM STREAM texts);

CREATE STREAMING TABLE decimals AS
SELECT offset, j.* FROM (SELECT offset, from_json(v, 'id DECIMAL(4,2), i DECIMAL(12,0), d DECIMAL(38,9), x DECIMAL(20,1)') AS j FROM STREAM texts);

CREATE STREAMING TABLE strings_of_all AS
SELECT offset, j.* FROM (SELECT offset, from_json(v, 'id STRING, i STRING, d STRING, x STRING, b STRING, s STRING, a STRING, m STRING, p STRING') AS j FROM STREAM texts);

CREATE STREAMING TABLE moments AS
SELECT offset, j.t, j.day, j.s, j.d FROM (SELECT offset, from_json(v, 't TIMESTAMP, day DATE, s DATE, d TIMESTAMP') AS j FROM STREAM texts);

CREATE STREAMING TABLE local_times AS
SELECT offset, j.t, j.day FROM (SELECT offset, from_json(v, 't TIMESTAMP_NTZ, day TIMESTAMP') AS j FROM STREAM texts);

CREATE STREAMING TABLE booleans AS
SELECT offset, j.* FROM (SELECT offset, from_json(v, 'b BOOLEAN, i BOOLEAN, s BOOLEAN, p STRUCT<q: BOOLEAN>') AS j FROM STREAM texts);

CREATE STREAMING TABLE corrupt AS
SELECT offset, j.id, j.i, j._corrupt_record AS bad
FROM (SELECT offset, from_json(v, 'id INT, i INT, _corrupt_record STRING', map('mode', 'PERMISSIVE')) AS j FROM STREAM texts);

CREATE STREAMING TABLE lists AS
SELECT offset, a, size(a) AS n, a IS NULL AS missing, p.r AS r, p.r.u AS us FROM STREAM e;

CREATE STREAMING TABLE maps AS
SELECT offset, map_keys(m) AS keys, map_values(m) AS numbers, m['k'] AS k, element_at(m, 'l') AS l FROM STREAM e;

CREATE STREAMING TABLE structs AS
SELECT offset, p, p.q AS q, p.r[0].u AS first_u, p IS NULL AS missing FROM STREAM e WHERE p.r IS NULL OR size(p.r) > 0;

CREATE STREAMING TABLE paths AS
SELECT offset, get_json_object(v, '$.p.q') AS q, get_json_object(v, '$.a[1]') AS second, get_json_object(v, '$.p.r[*].u') AS us,
  get_json_object(v, '$.extra.z[2]') AS z, get_json_object(v, '$') AS whole, get_json_object(v, '$.s') AS s
FROM STREAM texts;

CREATE STREAMING TABLE written AS
SELECT offset, to_json(struct(id, i, d, x, b, s)) AS flat, to_json(struct(t, day, a, m, p)) AS deep, to_json(m) AS m, to_json(a) AS a FROM STREAM e;

CREATE STREAMING TABLE again AS
SELECT offset, j.k.id AS id, j.k.s AS s, j.k.a AS a
FROM (SELECT offset, from_json(to_json(struct(struct(id, s, a) AS k)), 'k STRUCT<id: BIGINT, s: STRING, a: ARRAY<STRING>>') AS j FROM STREAM e);

CREATE STREAMING TABLE other_case AS
SELECT offset, j.* FROM (SELECT offset, from_json(v, 'ID INT, I BIGINT, S STRING, P STRUCT<Q: STRING>') AS j FROM STREAM texts);

CREATE STREAMING TABLE lengths AS
SELECT offset, json_array_length(get_json_object(v, '$.a')) AS n, json_object_keys(v) AS keys, length(v) AS len, octet_length(v) AS bytes
FROM STREAM texts;
