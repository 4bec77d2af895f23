select id as customer_id, name as customer_name, country, segment
from {{ ref('raw_customers') }}
