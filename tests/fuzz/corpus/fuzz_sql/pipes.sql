FROM VALUES (1, map('a', struct(1 AS f))) t(a, m) |> WHERE t.a > 0 |> EXTEND m['a'].f + a AS c |> SET a = 'x' |> DROP m
|> AGGREGATE count(DISTINCT c) FILTER (WHERE c > 0) AS n GROUP BY a AS g |> AS u |> ORDER BY n |> LIMIT 2 |> UNION ALL SELECT 'y', 3L
