-- Written by `metrics generate` from metrics_catalog/metrics. Change a metric file, not this one.
{{ config(materialized='table') }}

with coupon_redemptions as (
    select * from {{ ref('fct_coupon_redemptions') }}
),

coupon_redemptions_campaign_type_codes as (
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
      coupon_redemptions_campaign_type_codes.code as campaign_type__code
    from {{ ref('dim_campaigns') }} as campaigns
    left join coupon_redemptions_campaign_type_codes
      on campaigns.campaign_type = coupon_redemptions_campaign_type_codes.campaign_type
),

grouped as (
    select
      coupon_redemptions.redeemed_on as day,
      campaigns.campaign_type__code as campaign_type,
      cast(count(*) as bigint) as coupons_redeemed
    from coupon_redemptions
    left join campaigns
      on coupon_redemptions.campaign_id = campaigns.campaign_id
    where
      coupon_redemptions.redeemed_on is not null
    group by
      1,
      2
),

final as (
    select
      grouped.day,
      coupon_redemptions_campaign_type_codes.campaign_type,
      grouped.coupons_redeemed
    from grouped
    left join coupon_redemptions_campaign_type_codes
      on grouped.campaign_type = coupon_redemptions_campaign_type_codes.code
)

select * from final
