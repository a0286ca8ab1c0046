SELECT transform(array(1, 2), x -> x + 1), aggregate(array(1, 2), 0, (s, x) -> s + x), array_sort(array(3, 1), (a, b) -> a - b), map_zip_with(map(1, 2), map(1, 3), (k, a, b) -> a + b);
