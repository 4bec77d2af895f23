-- Written by `metrics generate` from metrics_catalog/metrics. Change a metric file, not this one.
{{ config(materialized='incremental', incremental_strategy='changed_days', unique_key='day', meta={'joins': ['dim_products']}) }}

with sales as (
    select * from {{ ref('fct_sales') }}
    {% if is_incremental() %}where {{ in_dates('sold_on', changed_days()) }}{% endif %}
),

products as (
    select
      products.*,
      products.category = '生鲜' as receipts__test0
    from {{ ref('dim_products') }} as products
),

final as (
    select
      sales.sold_on as day,
      sales.store_id as store,
      cast(nullif(count(case when products.receipts__test0 then 1 end), 0) as bigint) as receipts
    from sales
    left join products
      on sales.product_id = products.product_id
    where
      sales.sold_on is not null
    group by
      1,
      2
)

select * from final
