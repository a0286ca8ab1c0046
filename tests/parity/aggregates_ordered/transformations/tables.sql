CREATE TEMPORARY VIEW e AS
SELECT j.*
FROM (
  SELECT *, from_json(CAST(value AS STRING), 'k STRING, ts TIMESTAMP, v INT') AS j
  FROM STREAM events
);


CREATE STREAMING TABLE ordered AS
SELECT k, window.start AS w, first(v) AS f, last(v) AS l, first(v, true) AS fn, last(v, true) AS ln, any_value(v) AS av, first_value(v) AS fv, last_value(v) AS lv,
  collect_list(v) AS list, collect_set(v) AS s, array_agg(v) AS aa
FROM STREAM e WATERMARK ts DELAY OF INTERVAL 0 SECONDS GROUP BY k, window(ts, '1 minute');

CREATE STREAMING TABLE lists AS
SELECT window.start AS w, sort_array(collect_set(k)) AS ks, size(collect_list(v)) AS vs, array_sort(collect_list(v)) AS sorted, collect_list(struct(k, v)) AS pairs
FROM STREAM e WATERMARK ts DELAY OF INTERVAL 0 SECONDS GROUP BY window(ts, '1 minute');
