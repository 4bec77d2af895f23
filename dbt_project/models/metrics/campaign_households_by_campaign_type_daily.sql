-- Written by `metrics generate` from metrics_catalog/metrics. Change a metric file, not this one.
{{ config(materialized='table') }}

with campaign_households as (
    select * from {{ ref('fct_campaign_households') }}
),

campaign_households_campaign_type_codes as (
    select
      campaign_type,
      cast(row_number() over (order by campaign_type) as int) as code
    from (
      select
        campaigns.campaign_type as campaign_type
      from {{ ref('dim_campaigns') }} as campaigns
      where
        campaigns.campaign_type is not null
      group by
        1
    ) as members
),

campaigns as (
    select
      campaigns.*,
      campaign_households_campaign_type_codes.code as campaign_type__code
    from {{ ref('dim_campaigns') }} as campaigns
    left join campaign_households_campaign_type_codes
      on campaigns.campaign_type = campaign_households_campaign_type_codes.campaign_type
),

grouped as (
    select
      campaign_households.started_on as day,
      campaigns.campaign_type__code as campaign_type,
      cast(nullif(count(case when campaign_households.is_redeemed then 1 end), 0) as bigint) as coupon_redemption_rate__numerator,
      cast(count(*) as bigint) as targeted_households
    from campaign_households
    left join campaigns
      on campaign_households.campaign_id = campaigns.campaign_id
    where
      campaign_households.started_on is not null
    group by
      1,
      2
),

final as (
    select
      grouped.day,
      campaign_households_campaign_type_codes.campaign_type,
      grouped.coupon_redemption_rate__numerator,
      grouped.targeted_households
    from grouped
    left join campaign_households_campaign_type_codes
      on grouped.campaign_type = campaign_households_campaign_type_codes.code
)

select * from final
