with campaigns as (
    select * from {{ source('clean', 'campaigns') }}
),

final as (
    select
        campaign_id,
        campaign_type,
        start_date as started_on,
        end_date as ended_on
    from campaigns
)

select * from final
