{{ config(
    materialized='incremental', incremental_strategy='changed_days', unique_key='week_start', meta={'changed': 'week'}
) }}

with order_lines as (
    select * from {{ ref('fct_order_lines') }}
    {% if is_incremental() %}where {{ in_dates(week_of('sold_on'), changed_weeks()) }}{% endif %}
),

promotions as (
    select * from {{ ref('stg_promotions') }}
    {% if is_incremental() %}where promotion_week in ({{ promotion_weeks(changed_weeks()) }}){% endif %}
),

sold as (
    select distinct
        product_id,
        {{ week_of('sold_on') }} as week_start
    from order_lines
),

promoted as (
    select distinct
        product_id,
        promotion_week
    from promotions
),

seen as (
    select product_id, week_start, 1 as is_sold, 0 as is_promoted from sold
    union all
    select product_id, {{ promotion_week_start('promotion_week') }} as week_start, 0 as is_sold, 1 as is_promoted from promoted
),

final as (
    select
        product_id,
        week_start,
        max(is_sold) = 1 as is_sold,
        max(is_promoted) = 1 as is_promoted
    from seen
    group by product_id, week_start
)

select * from final
