CREATE TEMPORARY VIEW shown AS
SELECT i.impression_id, i.ad_id, i.site, try_cast(i.shown_at AS TIMESTAMP) AS shown_at
FROM (SELECT from_json(CAST(value AS STRING), 'impression_id STRING, ad_id BIGINT, site STRING, shown_at STRING') AS i
      FROM STREAM impressions);

CREATE TEMPORARY VIEW clicked AS
SELECT c.click_id, c.impression_id, try_cast(c.clicked_at AS TIMESTAMP) AS clicked_at, c.price
FROM (SELECT from_json(CAST(value AS STRING), 'click_id STRING, impression_id STRING, clicked_at STRING, price DECIMAL(6,2)') AS c
      FROM STREAM clicks);

CREATE STREAMING TABLE result
AS SELECT window.start AS window_start, count(impression_id) AS impressions, count(ad_id) AS ads, count(site) AS sites
FROM STREAM shown WATERMARK shown_at DELAY OF INTERVAL 10 SECONDS
GROUP BY window(shown_at, '1 minute');

CREATE STREAMING TABLE result_clicks
AS SELECT window.start AS window_start, count(impression_id) AS impressions, count(click_id) AS clicks, sum(price) AS price
FROM STREAM clicked WATERMARK clicked_at DELAY OF INTERVAL 10 SECONDS
GROUP BY window(clicked_at, '1 minute');
