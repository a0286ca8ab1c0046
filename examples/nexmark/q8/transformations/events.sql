CREATE TEMPORARY VIEW events AS
SELECT from_json(CAST(value AS STRING), 'event_type INT,
  person STRUCT<id: BIGINT, name: STRING, email_address: STRING, credit_card: STRING, city: STRING, state: STRING,
                date_time: TIMESTAMP, extra: STRING>,
  auction STRUCT<id: BIGINT, item_name: STRING, description: STRING, initial_bid: BIGINT, reserve: BIGINT,
                 date_time: TIMESTAMP, expires: TIMESTAMP, seller: BIGINT, category: BIGINT, extra: STRING>,
  bid STRUCT<auction: BIGINT, bidder: BIGINT, price: BIGINT, channel: STRING, url: STRING, date_time: TIMESTAMP,
             extra: STRING>') AS e, timestamp AS arrived_at
FROM STREAM nexmark;

CREATE TEMPORARY VIEW person AS SELECT e.person.* FROM STREAM events WHERE e.event_type = 0;
CREATE TEMPORARY VIEW auction AS SELECT e.auction.* FROM STREAM events WHERE e.event_type = 1;
