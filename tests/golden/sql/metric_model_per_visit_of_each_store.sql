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

visits as (
    select * from {{ ref('fct_visits') }}
),

sales_by_member as (
    select
      sales.store_id as member,
      cast(nullif(count(case when products.receipts__test0 then 1 end), 0) as bigint) as receipts
    from sales
    left join products
      on sales.product_id = products.product_id
    where
      sales.store_id is not null
    group by
      1
),

visits_by_member as (
    select
      visits.store_id as member,
      cast(count(*) as bigint) as visits
    from visits
    where
      visits.store_id is not null
    group by
      1
),

final as (
    select
      members.member,
      cast(coalesce(receipts, 0) as double) / nullif(cast(visits as double), 0) as value
    from (
      select
        member
      from sales_by_member
      union
      select
        member
      from visits_by_member
    ) as members
    left join sales_by_member
      on members.member = sales_by_member.member
    left join visits_by_member
      on members.member = visits_by_member.member
)

select * from final
