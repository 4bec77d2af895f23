with campaign_households as (
    select * from {{ source('clean', 'campaign_households') }}
),

final as (
    select
        campaign_id,
        household_id
    from campaign_households
)

select * from final
