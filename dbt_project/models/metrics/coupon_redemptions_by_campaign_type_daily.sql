-- Written by `metrics generate` from metrics_catalog/metrics. Change a metric file, not this one.
{{ config(materialized='incremental', incremental_strategy='changed_days', unique_key='day') }}

with coupon_redemptions as (
    select * from {{ ref('fct_coupon_redemptions') }}
    {% if is_incremental() %}where {{ in_dates('redeemed_on', changed_days()) }}{% endif %}
),

campaigns as (
    select * from {{ ref('dim_campaigns') }}
),

final as (
    select
      coupon_redemptions.redeemed_on as day,
      campaigns.campaign_type as campaign_type,
      cast(count(*) as bigint) as coupons_redeemed
    from coupon_redemptions
    left join campaigns
      on coupon_redemptions.campaign_id = campaigns.campaign_id
    where
      coupon_redemptions.redeemed_on is not null
    group by
      1,
      2
)

select * from final
