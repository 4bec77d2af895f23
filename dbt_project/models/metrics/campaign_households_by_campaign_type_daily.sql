-- Written by `metrics generate` from metrics_catalog/metrics. Change a metric file, not this one.
{{ config(materialized='incremental', incremental_strategy='changed_days', unique_key='day') }}

with campaign_households as (
    select * from {{ ref('fct_campaign_households') }}
    {% if is_incremental() %}where {{ in_dates('started_on', changed_days()) }}{% endif %}
),

campaigns as (
    select * from {{ ref('dim_campaigns') }}
),

final as (
    select
      campaign_households.started_on as day,
      campaigns.campaign_type as campaign_type,
      cast(sum(case when campaign_households.is_redeemed then 1 end) as bigint) as coupon_redemption_rate__numerator,
      cast(count(*) as bigint) as targeted_households
    from campaign_households
    left join campaigns
      on campaign_households.campaign_id = campaigns.campaign_id
    where
      campaign_households.started_on is not null
    group by
      1,
      2
)

select * from final
