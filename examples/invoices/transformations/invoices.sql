CREATE TEMPORARY VIEW parsed AS
SELECT
  partition, offset, CAST(value AS STRING) AS raw_value,
  from_json(CAST(value AS STRING),
    'invoice_number STRING, created_time TIMESTAMP, store_id STRING,
     customer STRUCT<card_no: STRING, name: STRING, type: STRING>,
     delivery_type STRING,
     delivery_address STRUCT<line: STRING, city: STRING, state: STRING, pin_code: STRING, contact: STRING>,
     items ARRAY<STRUCT<item_code: STRING, description: STRING, price: DECIMAL(12,2), qty: INT, total: DECIMAL(14,2)>>,
     number_of_items INT, total_amount DECIMAL(14,2), payment_method STRING') AS i
FROM STREAM invoices_topic;

-- The schema is enforced: an invoice without number, time or items does not go on.
CREATE STREAMING TABLE refused
COMMENT 'invoices that cannot be flattened, as they came'
AS SELECT raw_value, partition, offset FROM STREAM parsed
WHERE i.invoice_number IS NULL OR i.created_time IS NULL OR i.items IS NULL;

CREATE STREAMING TABLE invoice_items
COMMENT 'one row per line item'
AS SELECT
  i.invoice_number, i.created_time, i.store_id,
  i.customer.card_no AS customer_card, i.customer.name AS customer_name, i.customer.type AS customer_type,
  i.delivery_type, i.delivery_address.city, i.delivery_address.state, i.delivery_address.pin_code,
  i.payment_method, i.total_amount,
  item.item_code, item.description, item.price, item.qty, item.total
FROM STREAM parsed
LATERAL VIEW explode(i.items) lines AS item
WHERE i.invoice_number IS NOT NULL AND i.created_time IS NOT NULL;
