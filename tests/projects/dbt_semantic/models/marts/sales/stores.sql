select id as store_id, city, country from {{ ref('raw_stores') }}
