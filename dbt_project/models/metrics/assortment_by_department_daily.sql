-- Written by `metrics generate` from metrics_catalog/metrics. Change a metric file, not this one.
{{ config(materialized='incremental', incremental_strategy='changed_days', unique_key='day', meta={'changed': 'days of the week', 'following': 7, 'joins': ['dim_products']}) }}

with assortment as (
    select * from {{ ref('fct_assortment_weeks') }}
    {% if is_incremental() %}where {{ in_dates('week_start', changed_week_days(following=7)) }}{% endif %}
),

assortment_department_codes as (
    select
      department,
      cast(row_number() over (order by department) as int) as code
    from (
      select
        products.department as department
      from {{ ref('dim_products') }} as products
      where
        products.department is not null
      group by
        1
    ) as members
),

products as (
    select
      products.*,
      assortment_department_codes.code as department__code
    from {{ ref('dim_products') }} as products
    left join assortment_department_codes
      on products.department = assortment_department_codes.department
),

grouped as (
    select
      assortment.week_start as day,
      products.department__code as department,
      cast(count(*) as bigint) as assortment_skus
    from assortment
    left join products
      on assortment.product_id = products.product_id
    where
      assortment.week_start is not null
    group by
      1,
      2
),

final as (
    select
      grouped.day,
      assortment_department_codes.department,
      grouped.assortment_skus
    from grouped
    left join assortment_department_codes
      on grouped.department = assortment_department_codes.code
)

select * from final
