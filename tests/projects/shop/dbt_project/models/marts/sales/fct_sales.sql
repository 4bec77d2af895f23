{{ config(materialized='incremental', incremental_strategy='changed_days', unique_key='sold_on') }}
select receipt_id, product_id, store, sold_on, quantity, amount_usd
from {{ ref('stg_receipts') }}
{% if is_incremental() %}where {{ in_dates('sold_on', changed_days()) }}{% endif %}
