select id as session_id, customer_id, started_at, channel from {{ ref('raw_sessions') }}
