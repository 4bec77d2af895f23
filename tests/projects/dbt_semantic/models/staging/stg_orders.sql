select
    id as order_id,
    customer_id,
    store_id,
    ordered_at,
    shipped_on,
    amount,
    category,
    channel,
    promotion
from {{ ref('raw_orders') }}
