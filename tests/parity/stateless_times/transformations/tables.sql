CREATE TEMPORARY VIEW e AS
SELECT j.* FROM (
  SELECT from_json(CAST(value AS STRING), 'id INT, t TIMESTAMP, l TIMESTAMP_NTZ, d DATE, u BIGINT, n INT, p STRING, z STRING') AS j FROM STREAM events
);

CREATE STREAMING TABLE date_fields AS
SELECT id, year(d) AS y, quarter(d) AS q, month(d) AS m, day(d) AS day, dayofweek(d) AS dow, weekday(d) AS wd, dayofyear(d) AS doy, weekofyear(d) AS week, extract(YEAROFWEEK FROM d) AS yow, dayname(d) AS name, monthname(d) AS month FROM STREAM e;
CREATE STREAMING TABLE time_fields AS
SELECT id, hour(t) AS h, minute(t) AS m, second(t) AS s, hour(l) AS lh, date_part('SECOND', t) AS seconds, extract(DAY FROM t) AS day, extract(HOUR FROM l) AS hour, CAST(t AS DATE) AS d, year(t) AS y FROM STREAM e;
CREATE STREAMING TABLE date_sums AS
SELECT id, date_add(d, n) AS later, date_sub(d, 7) AS week_ago, add_months(d, n) AS months, last_day(d) AS last, next_day(d, 'MON') AS monday, datediff(d, DATE'2024-01-01') AS days, d + INTERVAL '1' MONTH AS next, d - 1 AS before, months_between(d, DATE'2024-02-29') AS between FROM STREAM e;
CREATE STREAMING TABLE time_sums AS
SELECT id, t + INTERVAL '1' DAY AS day, t + INTERVAL '24' HOUR AS hours, t - INTERVAL '1 02:03:04.5' DAY TO SECOND AS less, t + INTERVAL '1-1' YEAR TO MONTH AS months, l + INTERVAL '1' DAY AS local, l + INTERVAL '90' MINUTE AS minutes, timestampadd(HOUR, n, t) AS added FROM STREAM e;
CREATE STREAMING TABLE differences AS
SELECT id, timestampdiff(HOUR, t, TIMESTAMP'2026-06-01 00:00:00') AS hours, timestampdiff(MONTH, t, TIMESTAMP'2026-06-01 00:00:00') AS months, datediff(t, l) AS days, unix_seconds(t) AS seconds, unix_millis(t) AS millis, unix_micros(t) AS micros, unix_date(d) AS epoch FROM STREAM e;
CREATE STREAMING TABLE truncated AS
SELECT id, date_trunc('YEAR', t) AS y, date_trunc('WEEK', t) AS w, date_trunc('DAY', t) AS day, date_trunc('HOUR', t) AS h, date_trunc('MILLISECOND', t) AS ms, trunc(d, 'MM') AS month, trunc(d, 'QUARTER') AS quarter, date_trunc('DAY', l) AS local, trunc(d, 'WEEK') AS week FROM STREAM e;
CREATE STREAMING TABLE formatted AS
SELECT id, date_format(t, 'yyyy-MM-dd HH:mm:ss.SSSSSS') AS full, date_format(t, 'EEE, d MMM yyyy') AS words, date_format(l, 'dd/MM/yy HH:mm') AS short, date_format(d, 'D') AS doy, date_format(t, 'XXX') AS shift, date_format(t, "yyyy-MM-dd'T'HH:mm:ssXXX") AS iso, date_format(t, 'a h:mm') AS twelve FROM STREAM e;
CREATE STREAMING TABLE parsed AS
SELECT id, try_to_timestamp(p, 'dd/MM/yyyy HH:mm') AS t, try_to_timestamp(p, 'd/M/yyyy H:mm') AS loose, try_to_timestamp(p) AS plain, try_to_date(p, 'dd/MM/yyyy HH:mm') AS d, unix_timestamp(CAST(l AS STRING), 'yyyy-MM-dd HH:mm:ss[.S]') AS u FROM STREAM e;
CREATE STREAMING TABLE of_seconds AS
SELECT id, timestamp_seconds(u) AS t, from_unixtime(u) AS text, from_unixtime(u, 'yyyy/MM/dd') AS day, timestamp_millis(u) AS ms, timestamp_micros(u) AS us, date_from_unix_date(n) AS d, CAST(u AS TIMESTAMP) AS cast FROM STREAM e;
CREATE STREAMING TABLE to_text AS
SELECT id, CAST(t AS STRING) AS t, CAST(l AS STRING) AS l, CAST(d AS STRING) AS d, concat(d, ' ', t) AS both, to_json(struct(t, l, d)) AS json FROM STREAM e;
CREATE STREAMING TABLE of_text AS
SELECT id, try_cast(replace(CAST(l AS STRING), ' ', 'T') AS TIMESTAMP) AS t, try_cast(concat(d, 'Z') AS TIMESTAMP) AS bad, try_cast(concat(d, ' 1:2:3') AS TIMESTAMP) AS loose, try_cast(concat(d, 'T00:00:00 ', z) AS TIMESTAMP) AS zoned, try_cast(substring(d, 1, 7) AS DATE) AS month, try_cast(p AS DATE) AS p FROM STREAM e;
CREATE STREAMING TABLE zones AS
SELECT id, from_utc_timestamp(t, z) AS there, to_utc_timestamp(t, z) AS back, from_utc_timestamp(t, 'America/Los_Angeles') AS west, convert_timezone('UTC', 'Asia/Tokyo', l) AS tokyo FROM STREAM e;
CREATE STREAMING TABLE local_and_instant AS
SELECT id, CAST(l AS TIMESTAMP) AS instant, CAST(t AS TIMESTAMP_NTZ) AS local, CAST(d AS TIMESTAMP) AS midnight, CAST(t AS TIMESTAMP_NTZ) = l AS same, l < TIMESTAMP_NTZ'2026-01-01 00:00:00' AS old, d = CAST(t AS DATE) AS today FROM STREAM e;
CREATE STREAMING TABLE made AS
SELECT id, make_date(2024, month(d), 1) AS first, make_timestamp(2026, 3, 29, 2, 30, 1.5) AS gap, make_timestamp_ntz(2026, 3, 29, hour(l), 30, 0) AS local, try_make_timestamp(2026, 2, n, 0, 0, 0) AS perhaps, make_timestamp(2026, 1, 1, 0, 0, 0, 'Asia/Kolkata') AS kolkata FROM STREAM e;
CREATE STREAMING TABLE compared AS
SELECT id, greatest(t, TIMESTAMP'2000-01-01 00:00:00') AS later, least(d, DATE'2024-01-01') AS first, t BETWEEN TIMESTAMP'2026-01-01 00:00:00' AND TIMESTAMP'2026-12-31 00:00:00' AS this_year, d IN (DATE'2024-02-29', DATE'1900-01-01') AS listed, coalesce(t, TIMESTAMP'1970-01-01 00:00:00') AS some FROM STREAM e;
CREATE STREAMING TABLE filtered AS
SELECT id, t, l, d FROM STREAM e WHERE hour(t) < 12 AND d > DATE'1960-01-01' OR month(l) = 10;
