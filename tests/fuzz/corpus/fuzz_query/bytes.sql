SELECT decode(X'D83DDE00', 'UTF-16'), hex(encode('aß😀', 'UTF-32')), decode(X'FF', 'utf-8'), decode(2, 1, 'a', 2, 'b', 'c'), md5(X''), sha2('a', 224), reverse(X'010203');
SELECT element_at(array(1), 0), try_element_at(map('a', 1), 'b'), round(1.005D, 2), date_format(TIMESTAMP'10000-01-01 00:00:00', 'yyyyy'), year(DATE'-0001-01-01'), 100Y * 2Y, pmod(-7, 0);
