-- Written by `metrics generate` from metrics_catalog/metrics. Change a metric file, not this one.
{{ config(materialized='incremental', incremental_strategy='changed_days', unique_key='day') }}

with assortment as (
    select * from {{ ref('fct_assortment_weeks') }}
    {% if is_incremental() %}where {{ in_dates('week_start', changed_days()) }}{% endif %}
),

products as (
    select * from {{ ref('dim_products') }}
),

final as (
    select
      assortment.week_start as day,
      products.department as department,
      cast(count(*) as bigint) as assortment_skus
    from assortment
    left join products
      on assortment.product_id = products.product_id
    where
      assortment.week_start is not null
    group by
      1,
      2
)

select * from final
