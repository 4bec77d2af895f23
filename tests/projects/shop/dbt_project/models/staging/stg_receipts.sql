select receipt_id, product_id, quantity, amount_usd, store, cast(sold_at as date) as sold_on
from {{ source('clean', 'receipts') }}
