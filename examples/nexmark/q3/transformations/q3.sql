-- No bound in time: a person may sell at any time after joining, so both sides are kept for ever, as in Nexmark.
CREATE STREAMING TABLE q3 AS
SELECT p.name, p.city, p.state, a.id
FROM STREAM auction AS a JOIN STREAM person AS p ON a.seller = p.id
WHERE a.category = 10 AND (p.state = 'or' OR p.state = 'id' OR p.state = 'ca');
