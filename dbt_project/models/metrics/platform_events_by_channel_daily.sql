-- Written by `metrics generate` from metrics_catalog/metrics. Change a metric file, not this one.
{{ config(materialized='table') }}

with platform_events as (
    select * from {{ ref('fct_platform_events') }}
),

final as (
    select
      platform_events.happened_on as day,
      platform_events.channel as channel,
      cast(nullif(
        count(case when platform_events.kind = 'acknowledged' then platform_events.hours end),
        0
      ) as bigint) as acknowledge_hours__count,
      cast(sum(case when platform_events.kind = 'acknowledged' then platform_events.hours end) as decimal(28, 6)) as acknowledge_hours__sum,
      cast(nullif(count(case when platform_events.kind = 'resolved' then 1 end), 0) as bigint) as alert_precision__denominator,
      cast(sum(case when platform_events.kind = 'resolved' then platform_events.counted end) as decimal(28, 6)) as alert_precision__numerator,
      cast(nullif(count(case when platform_events.kind = 'alert' then 1 end), 0) as bigint) as alerts_sent,
      cast(nullif(
        count(case when platform_events.kind = 'approval' then platform_events.hours end),
        0
      ) as bigint) as approval_hours__count,
      cast(sum(case when platform_events.kind = 'approval' then platform_events.hours end) as decimal(28, 6)) as approval_hours__sum,
      cast(sum(case when platform_events.kind = 'standing' then platform_events.total end) as decimal(28, 6)) as certified_share__denominator,
      cast(sum(case when platform_events.kind = 'standing' then platform_events.counted end) as decimal(28, 6)) as certified_share__numerator,
      cast(sum(case when platform_events.kind = 'read' then platform_events.counted end) as decimal(28, 6)) as metric_reads,
      cast(sum(case when platform_events.kind = 'delivered' then platform_events.counted end) as decimal(28, 6)) as reports_delivered,
      cast(nullif(
        count(case when platform_events.kind = 'resolved' then platform_events.hours end),
        0
      ) as bigint) as resolve_hours__count,
      cast(sum(case when platform_events.kind = 'resolved' then platform_events.hours end) as decimal(28, 6)) as resolve_hours__sum,
      cast(nullif(count(case when platform_events.kind = 'restated' then 1 end), 0) as bigint) as restatements,
      cast(nullif(count(case when platform_events.kind = 'loaded' then platform_events.hours end), 0) as bigint) as source_age_hours__count,
      cast(sum(case when platform_events.kind = 'loaded' then platform_events.hours end) as decimal(28, 6)) as source_age_hours__sum
    from platform_events
    where
      platform_events.happened_on is not null
    group by
      1,
      2
)

select * from final
