-- Written by `metrics generate` from metrics_catalog/metrics. Change a metric file, not this one.
{{ config(materialized='incremental', incremental_strategy='changed_days', unique_key='day') }}

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

final as (
    select
      sales.sold_on as day,
      upper(makers.country) as country,
      cast(sum(case when products.category = '生鲜' and sales.units > 0 then sales.amount_usd end) as decimal(28, 6)) as m
    from sales
    left join products
      on sales.product_id = products.product_id
    left join makers
      on products.maker_id = makers.maker_id
    where
      sales.sold_on is not null
    group by
      1,
      2
)

select * from final
