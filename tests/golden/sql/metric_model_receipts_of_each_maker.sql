-- Written by `metrics generate` from metrics_catalog/metrics. Change a metric file, not this one.
{{ config(materialized='table') }}

with sales as (
    select * from {{ ref('fct_sales') }}
),

products as (
    select
      products.*,
      products.category = '生鲜' as receipts__test0
    from {{ ref('dim_products') }} as products
),

sales_by_member as (
    select
      products.maker_id as member,
      cast(nullif(count(case when products.receipts__test0 then 1 end), 0) as bigint) as receipts
    from sales
    left join products
      on sales.product_id = products.product_id
    where
      products.maker_id is not null
    group by
      1
),

final as (
    select
      member,
      receipts as value
    from sales_by_member
)

select * from final
