{% set weeks = var('assortment_weeks') %}
{{ config(
    materialized='incremental', incremental_strategy='changed_days', unique_key='week_start',
    meta={'changed': 'week', 'following': var('assortment_weeks') - 1}
) }}

with product_weeks as (
    select * from {{ ref('int_product_weeks') }}
    {% if is_incremental() %}where {{ in_dates('week_start', changed_weeks(preceding=weeks - 1, following=weeks - 1)) }}{% endif %}
),

-- A week without any sale has no assortment to judge: the chain was closed, or the week has not come yet.
trading_weeks as (
    select distinct week_start
    from product_weeks
    where is_sold
),

-- Each sighting stands for the weeks up to the next one, at most assortment_weeks: no week is counted twice.
sightings as (
    select
        product_id,
        week_start,
        is_sold,
        is_promoted,
        lead(week_start) over (partition by product_id order by week_start) as next_seen_on
    from product_weeks
),

offsets as (
    {% for n in range(weeks) -%}
    select {{ n }} as weeks_later{{ ' union all' if not loop.last }}
    {% endfor %}
),

listed as (
    select
        sightings.product_id,
        cast({{ dbt.dateadd('day', '7 * offsets.weeks_later', 'sightings.week_start') }} as date) as week_start,
        sightings.is_sold and offsets.weeks_later = 0 as is_sold,
        sightings.is_promoted and offsets.weeks_later = 0 as is_promoted,
        sightings.next_seen_on
    from sightings
    cross join offsets
),

final as (
    select
        listed.product_id,
        listed.week_start,
        listed.is_sold,
        listed.is_promoted
    from listed
    inner join trading_weeks on listed.week_start = trading_weeks.week_start
    where (listed.next_seen_on is null or listed.week_start < listed.next_seen_on)
    {% if is_incremental() %}and {{ in_dates('listed.week_start', changed_weeks(following=weeks - 1)) }}{% endif %}
)

select * from final
