with campaigns as (
    select * from {{ ref('stg_campaigns') }}
),

final as (
    select
        campaign_id,
        campaign_type,
        started_on,
        ended_on
    from campaigns
)

select * from final
