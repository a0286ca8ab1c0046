SELECT 1.0 <= *; SELECT * * a FROM VALUES (1) AS t(a); SELECT time_from_micros(-*); SELECT struct(*), array(t.*), count(*), 2 IN (*) FROM VALUES (1, 2) AS t(a, b);
SELECT avg(CAST(x AS DOUBLE)) FROM (VALUES (select '2' ), ('infinity')) v(x);
