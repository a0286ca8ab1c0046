CREATE TEMPORARY VIEW e AS
SELECT j.* FROM (
  SELECT from_json(CAST(value AS STRING), 'id INT, s STRING, t STRING, n INT, big BIGINT, x DOUBLE, d DECIMAL(6,2), w DECIMAL(38,6)') AS j FROM STREAM events
);

CREATE STREAMING TABLE text_to_whole AS
SELECT id, try_cast(s AS TINYINT) AS s1, try_cast(s AS INT) AS s4, try_cast(t AS INT) AS t4, try_cast(t AS BIGINT) AS t8, try_cast(s AS BOOLEAN) AS b FROM STREAM e;
CREATE STREAMING TABLE text_to_fraction AS
SELECT id, try_cast(t AS DOUBLE) AS x, try_cast(t AS FLOAT) AS f, try_cast(t AS DECIMAL(6,3)) AS d, try_cast(s AS DECIMAL(12,0)) AS w, try_cast(s AS DATE) AS day, try_cast(s AS TIMESTAMP) AS at FROM STREAM e;
CREATE STREAMING TABLE number_to_text AS
SELECT id, CAST(n AS STRING) AS n, CAST(big AS STRING) AS big, CAST(x AS STRING) AS x, CAST(CAST(n AS FLOAT) AS STRING) AS f, CAST(d AS STRING) AS d, CAST(w AS STRING) AS w FROM STREAM e;
CREATE STREAMING TABLE number_to_number AS
SELECT id, try_cast(n AS TINYINT) AS n1, try_cast(big AS INT) AS big4, CAST(big AS DOUBLE) AS bigx, try_cast(x AS INT) AS x4, try_cast(x AS BIGINT) AS x8, try_cast(x AS DECIMAL(10,3)) AS xd, CAST(n AS BOOLEAN) AS b FROM STREAM e;
CREATE STREAMING TABLE decimal_to_number AS
SELECT id, CAST(d AS INT) AS d4, CAST(d AS DOUBLE) AS dx, try_cast(w AS BIGINT) AS w8, CAST(w AS DOUBLE) AS wx, try_cast(d AS DECIMAL(4,0)) AS whole, try_cast(w AS DECIMAL(10,1)) AS cut FROM STREAM e;
CREATE STREAMING TABLE decimal_sums AS
SELECT id, d + d AS sum, d - 0.005 AS less, d + n AS mixed, w + d AS wide, try_add(w, w) AS twice, -d AS minus, abs(d) AS size FROM STREAM e;
CREATE STREAMING TABLE decimal_products AS
SELECT id, d * d AS square, d * 1.1 AS scaled, try_multiply(w, d) AS wide, try_divide(d, n) AS part, try_divide(w, 3) AS third, d * x AS as_double FROM STREAM e;
CREATE STREAMING TABLE rounding AS
SELECT id, round(d, 1) AS up, bround(d, 1) AS even, round(x, 2) AS x2, ceil(d) AS ceil, floor(d) AS floor, round(n, -1) AS tens, round(w, 3) AS w3, ceil(d, 1) AS ceil1 FROM STREAM e WHERE abs(x) < 1e9;
CREATE STREAMING TABLE remainders AS
SELECT id, n % 7 AS rest, pmod(n, 7) AS positive, n div 3 AS whole, big % 1000 AS last, d % 0.3 AS drest, try_mod(n, 0) AS zero, x % 2 AS xrest FROM STREAM e;
CREATE STREAMING TABLE bits AS
SELECT id, n & 15 AS low, n | 1 AS odd, n ^ 255 AS turned, ~n AS inverse, shiftleft(n, 2) AS up, shiftright(big, 3) AS down, shiftrightunsigned(big, 60) AS top, bit_count(n) AS ones, hex(n) AS hex, bin(n) AS bin FROM STREAM e;
CREATE STREAMING TABLE doubles AS
SELECT id, x + 1 AS more, x / 3 AS third, isnan(x) AS nan, nanvl(x, 0D) AS safe, x = x AS same, x > 1 AS big, greatest(x, 1D) AS top, least(x, d) AS low, sign(x) AS sign, sqrt(abs(x)) AS root FROM STREAM e;
CREATE STREAMING TABLE texts AS
SELECT id, upper(s) AS up, lower(s) AS low, initcap(s) AS cap, trim(s) AS trimmed, length(s) AS len, octet_length(s) AS bytes, reverse(s) AS back, substring(s, 2, 3) AS part, left(s, 2) AS head, right(s, 2) AS tail FROM STREAM e;
CREATE STREAMING TABLE text_parts AS
SELECT id, split(s, '[,; ]') AS parts, split_part(s, ' ', 1) AS first, substring_index(s, ' ', -1) AS last, replace(s, 'a', 'A') AS swapped, translate(s, 'abc', 'xy') AS moved, instr(s, 'e') AS at, lpad(s, 5, '*') AS padded, repeat(s, 2) AS twice FROM STREAM e;
CREATE STREAMING TABLE patterns AS
SELECT id, s LIKE '%a%' AS a, s RLIKE '^[0-9]+$' AS digits, regexp_extract(s, '([a-z]+)', 1) AS word, regexp_replace(s, '[0-9]', '#') AS hidden, regexp_count(t, '[0-9]') AS n, t ILIKE '%X%' AS x, regexp_extract_all(s, '(\\w)', 1) AS letters FROM STREAM e;
CREATE STREAMING TABLE hashes AS
SELECT id, md5(s) AS md5, sha2(s, 256) AS sha, crc32(s) AS crc, hash(id, s, n, x, d) AS murmur, xxhash64(s, big, w) AS xx, base64(s) AS b64, hex(s) AS hex, CAST(unhex(hex(s)) AS STRING) AS again FROM STREAM e;
CREATE STREAMING TABLE choices AS
SELECT id, coalesce(s, t, 'none') AS some, nullif(n, 0) AS filled, CASE WHEN n IS NULL THEN 'null' WHEN n > 50 THEN 'big' ELSE 'small' END AS size, CASE n WHEN 7 THEN 'seven' WHEN -1 THEN 'minus' END AS named, if(x > 1, d, w) AS either,
  n BETWEEN 0 AND 100 AS inside, n IN (1, 7, NULL) AS listed, s <=> t AS alike, nvl2(s, n, -1) AS there FROM STREAM e;
