CREATE TEMPORARY VIEW shown AS
SELECT i.impression_id, i.ad_id, i.site, try_cast(i.shown_at AS TIMESTAMP) AS shown_at
FROM (SELECT from_json(CAST(value AS STRING), 'impression_id STRING, ad_id BIGINT, site STRING, shown_at STRING') AS i
      FROM STREAM impressions);

CREATE TEMPORARY VIEW clicked AS
SELECT c.click_id, c.impression_id, try_cast(c.clicked_at AS TIMESTAMP) AS clicked_at, c.price
FROM (SELECT from_json(CAST(value AS STRING), 'click_id STRING, impression_id STRING, clicked_at STRING, price DECIMAL(6,2)') AS c
      FROM STREAM clicks);

-- Two windows side by side, one of them sliding.
CREATE STREAMING TABLE per_minute AS
SELECT site, window.start AS start, count(*) AS n, min(ad_id) AS least
FROM STREAM shown WATERMARK shown_at DELAY OF INTERVAL 5 SECONDS
GROUP BY site, window(shown_at, '1 minute');

CREATE STREAMING TABLE sliding AS
SELECT ad_id % 50 AS ad, window.start AS start, count(*) AS n, collect_set(site) AS sites
FROM STREAM shown WATERMARK shown_at DELAY OF INTERVAL 5 SECONDS
GROUP BY ad_id % 50, window(shown_at, '2 minutes', '30 seconds');

CREATE STREAMING TABLE sessions AS
SELECT site, session_window.start AS start, session_window.end AS finish, count(*) AS n
FROM STREAM shown WATERMARK shown_at DELAY OF INTERVAL 5 SECONDS
GROUP BY site, session_window(shown_at, '4 seconds');

CREATE STREAMING TABLE joined AS
SELECT s.impression_id, s.ad_id, c.click_id, c.price, c.clicked_at
FROM STREAM shown WATERMARK shown_at DELAY OF INTERVAL 5 SECONDS AS s
LEFT JOIN STREAM clicked WATERMARK clicked_at DELAY OF INTERVAL 10 SECONDS AS c
  ON s.impression_id = c.impression_id AND c.clicked_at >= s.shown_at AND c.clicked_at <= s.shown_at + INTERVAL 20 SECONDS;

CREATE STREAMING TABLE first_of_ad TBLPROPERTIES ('leat.dedup' = 'ad_id', 'leat.dedup.within_watermark' = 'true') AS
SELECT ad_id, impression_id, shown_at
FROM STREAM shown WATERMARK shown_at DELAY OF INTERVAL 5 SECONDS;
