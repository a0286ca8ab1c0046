CREATE TEMPORARY VIEW shown AS
SELECT i.impression_id, i.ad_id, try_cast(i.shown_at AS TIMESTAMP) AS shown_at
FROM (SELECT from_json(CAST(value AS STRING), 'impression_id STRING, ad_id BIGINT, shown_at STRING') AS i
      FROM STREAM impressions);

CREATE TEMPORARY VIEW clicked AS
SELECT c.click_id, c.impression_id, try_cast(c.clicked_at AS TIMESTAMP) AS clicked_at
FROM (SELECT from_json(CAST(value AS STRING), 'click_id STRING, impression_id STRING, clicked_at STRING') AS c
      FROM STREAM clicks);

CREATE STREAMING TABLE tumbling AS
SELECT impression_id, window.start AS start, count(*) AS n, min(ad_id) AS ad
FROM STREAM shown WATERMARK shown_at DELAY OF INTERVAL 40 SECONDS
GROUP BY impression_id, window(shown_at, '30 seconds');

CREATE STREAMING TABLE sliding AS
SELECT impression_id, window.start AS start, count(*) AS n
FROM STREAM shown WATERMARK shown_at DELAY OF INTERVAL 40 SECONDS
GROUP BY impression_id, window(shown_at, '30 seconds', '15 seconds');

CREATE STREAMING TABLE sessions AS
SELECT impression_id, session_window.start AS start, session_window.end AS finish, count(*) AS n
FROM STREAM shown WATERMARK shown_at DELAY OF INTERVAL 40 SECONDS
GROUP BY impression_id, session_window(shown_at, '20 seconds');

CREATE STREAMING TABLE joined AS
SELECT s.impression_id, c.click_id, c.clicked_at
FROM STREAM shown WATERMARK shown_at DELAY OF INTERVAL 40 SECONDS AS s
LEFT JOIN STREAM clicked WATERMARK clicked_at DELAY OF INTERVAL 40 SECONDS AS c
  ON s.impression_id = c.impression_id AND c.clicked_at >= s.shown_at AND c.clicked_at <= s.shown_at + INTERVAL 20 SECONDS;

CREATE STREAMING TABLE first TBLPROPERTIES ('leat.dedup' = 'impression_id', 'leat.dedup.within_watermark' = 'true') AS
SELECT impression_id, ad_id, shown_at
FROM STREAM shown WATERMARK shown_at DELAY OF INTERVAL 40 SECONDS;
