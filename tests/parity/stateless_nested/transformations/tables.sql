CREATE TEMPORARY VIEW e AS
SELECT offset, j.* FROM (
  SELECT offset, from_json(CAST(value AS STRING), 'id INT, a ARRAY<INT>, t ARRAY<STRING>, m MAP<STRING, INT>, o ARRAY<STRUCT<sku: STRING, n: INT, price: DECIMAL(6,2)>>, aa ARRAY<ARRAY<INT>>, s STRUCT<name: STRING, tags: ARRAY<STRING>>') AS j
  FROM STREAM events
);

CREATE STREAMING TABLE exploded AS SELECT id, explode(a) AS n FROM STREAM e;
CREATE STREAMING TABLE exploded_outer AS SELECT id, explode_outer(a) AS n FROM STREAM e;
CREATE STREAMING TABLE numbered AS SELECT id, posexplode(t) AS (place, word) FROM STREAM e;
CREATE STREAMING TABLE entries AS SELECT id, explode(m) AS (k, v) FROM STREAM e;
CREATE STREAMING TABLE entries_outer AS SELECT id, posexplode_outer(m) AS (place, k, v) FROM STREAM e;
CREATE STREAMING TABLE lines AS
SELECT id, line.sku, line.n, line.price, line.n * line.price AS total FROM (SELECT id, explode(o) AS line FROM STREAM e) WHERE line.n > 0;
CREATE STREAMING TABLE inlined AS SELECT id, inline(filter(o, l -> l IS NOT NULL)) FROM STREAM e;
CREATE STREAMING TABLE views AS SELECT id, tag, n FROM STREAM e LATERAL VIEW explode(s.tags) g AS tag LATERAL VIEW OUTER explode(a) h AS n WHERE id < 6;
CREATE STREAMING TABLE flat AS SELECT id, flatten(filter(aa, x -> x IS NOT NULL)) AS flat, size(aa) AS n, aa[0] AS head FROM STREAM e WHERE aa IS NULL OR size(aa) > 0;

CREATE STREAMING TABLE sorted AS
SELECT id, sort_array(a) AS up, sort_array(a, false) AS down, array_sort(t) AS words, array_distinct(a) AS once, array_max(a) AS top, array_min(t) AS low, reverse(a) AS back
FROM STREAM e;

CREATE STREAMING TABLE lambdas AS
SELECT id, transform(a, (x, i) -> x % 10 + i) AS moved, filter(a, x -> x > 1) AS big, exists(a, x -> x IS NULL) AS holes, forall(t, w -> length(w) > 0) AS full,
  aggregate(filter(a, x -> x < 1000), 0L, (sum, x) -> sum + coalesce(x, 0), sum -> sum * 2) AS twice, zip_with(a, t, (x, w) -> concat(w, x)) AS zipped
FROM STREAM e;

CREATE STREAMING TABLE map_lambdas AS
SELECT id, transform_values(m, (k, v) -> v + length(k)) AS longer, map_filter(m, (k, v) -> v > 1) AS big, transform_keys(m, (k, v) -> upper(k)) AS loud,
  map_concat(m, map('id', id)) AS more, map_from_arrays(array('a', 'b'), array(id, -id)) AS made
FROM STREAM e;

CREATE STREAMING TABLE elements AS
SELECT id, get(a, 1) AS second, try_element_at(a, -1) AS last, try_element_at(t, 9) AS none, m['x'] AS x, try_element_at(m, 'q') AS q, array_position(a, 2) AS at, array_contains(t, 'b') AS has_b,
  slice(a, 2, 2) AS middle, map_contains_key(m, 'z') AS has_z
FROM STREAM e;

CREATE STREAMING TABLE sets AS
SELECT id, array_union(a, array(1, 2)) AS joined, array_intersect(a, array(1, 2, 5)) AS common, array_except(a, array(5, CAST(NULL AS INT))) AS rest, arrays_overlap(a, array(2, 0)) AS touch,
  array_remove(a, 5) AS without, array_append(a, id) AS longer, array_compact(a) AS dense, concat(a, array(id)) AS behind
FROM STREAM e;

CREATE STREAMING TABLE made AS
SELECT id, named_struct('n', s.name, 'k', size(s.tags)) AS pair, array(id, id * 2) AS two, map('id', id, 'next', id + 1) AS m, struct(s.name, a) AS wide, arrays_zip(a, t) AS zip, sequence(1, id) AS upto,
  array_repeat(s.name, 2) AS names, array_join(t, '|', '?') AS line
FROM STREAM e;

CREATE STREAMING TABLE map_parts AS
SELECT id, map_keys(m) AS keys, map_values(m) AS numbers, map_entries(m) AS entries, size(m) AS n, str_to_map(array_join(t, ',', 'nil'), ',', ':') AS words FROM STREAM e
WHERE t IS NULL OR size(array_distinct(t)) = size(t);
