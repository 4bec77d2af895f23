-- Written by `metrics generate` from metrics_catalog/metrics. Change a metric file, not this one.
{{ config(materialized='incremental', incremental_strategy='changed_days', unique_key='day', meta={'changed': 'days of the week', 'following': 7}) }}

with visits as (
    select * from {{ ref('fct_visits') }}
    {% if is_incremental() %}where {{ in_dates('visited_on', changed_week_days(following=7)) }}{% endif %}
),

final as (
    select
      visits.visited_on as day,
      visits.store_id as store,
      cast(count(*) as bigint) as visits
    from visits
    where
      visits.visited_on is not null
    group by
      1,
      2
)

select * from final
