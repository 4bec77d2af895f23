-- Written by `metrics generate` from metrics_catalog/metrics. Change a metric file, not this one.
{{ config(materialized='table') }}

with sales as (
    select * from {{ ref('fct_sales') }}
),

products as (
    select * from {{ ref('dim_products') }}
),

receipts_of_each_maker as (
    select
      receipts_of_each_maker.*,
      receipts_of_each_maker.value >= 5 as busy__test0
    from {{ ref('receipts_of_each_maker') }} as receipts_of_each_maker
),

sales_by_member as (
    select
      sales.member_id as member,
      cast(sum(case when receipts_of_each_maker.busy__test0 then sales.amount_usd end) as decimal(28, 6)) as busy
    from sales
    left join products
      on sales.product_id = products.product_id
    left join receipts_of_each_maker
      on products.maker_id = receipts_of_each_maker.member
    where
      sales.member_id is not null
    group by
      1
),

final as (
    select
      member,
      busy as value
    from sales_by_member
)

select * from final
