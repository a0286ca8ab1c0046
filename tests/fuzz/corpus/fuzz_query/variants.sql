SELECT map('a', 1, parse_json('{}'), 2); SELECT CASE WHEN true THEN 'a' ELSE parse_json('1') END; SELECT 'a' UNION SELECT parse_json('1');
