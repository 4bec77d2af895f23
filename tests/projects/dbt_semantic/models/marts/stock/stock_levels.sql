select counted_on, store_id, units from {{ ref('raw_stock') }}
