with campaign_households as (
    select * from {{ ref('stg_campaign_households') }}
),

campaigns as (
    select * from {{ ref('dim_campaigns') }}
),

redemptions as (
    select * from {{ ref('stg_coupon_redemptions') }}
),

redeemed as (
    select
        campaign_id,
        household_id,
        count(*) as redemptions,
        min(redeemed_on) as first_redeemed_on
    from redemptions
    group by campaign_id, household_id
),

final as (
    select
        campaign_households.campaign_id * 1000000 + campaign_households.household_id as campaign_household_id,
        campaign_households.campaign_id,
        campaign_households.household_id,
        campaigns.started_on,
        campaigns.ended_on,
        redeemed.campaign_id is not null as is_redeemed,
        coalesce(redeemed.redemptions, 0) as redemptions,
        redeemed.first_redeemed_on
    from campaign_households
    inner join campaigns on campaign_households.campaign_id = campaigns.campaign_id
    left join redeemed
        on campaign_households.campaign_id = redeemed.campaign_id
        and campaign_households.household_id = redeemed.household_id
)

select * from final
