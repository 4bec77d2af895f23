-- Written by `metrics generate` from metrics_catalog/metrics. Change a metric file, not this one.
{{ config(materialized='incremental', incremental_strategy='changed_days', unique_key='day', meta={'joins': ['dim_makers', 'dim_products']}) }}

with sales as (
    select * from {{ ref('fct_sales') }}
    {% if is_incremental() %}where {{ in_dates('sold_on', changed_days()) }}{% endif %}
),

products as (
    select * from {{ ref('dim_products') }}
),

makers as (
    select * from {{ ref('dim_makers') }}
),

grouped as (
    select
      sales.sold_on as day,
      sales.product_id as product,
      cast(sum(sales.amount_usd) as decimal(28, 6)) as m
    from sales
    where
      sales.sold_on is not null
    group by
      1,
      2
),

final as (
    select
      grouped.day,
      grouped.product,
      products.category,
      upper(makers.country) as country,
      grouped.m
    from grouped
    left join products
      on grouped.product = products.product_id
    left join makers
      on products.maker_id = makers.maker_id
)

select * from final
