-- Written by `metrics generate` from metrics_catalog/metrics. Change a metric file, not this one.
{{ config(materialized='incremental', incremental_strategy='changed_days', unique_key='day', meta={'joins': ['dim_products']}) }}

with order_lines as (
    select * from {{ ref('fct_order_lines') }}
    {% if is_incremental() %}where {{ in_dates('sold_on', changed_days()) }}{% endif %}
),

order_lines_brand_codes as (
    select
      brand,
      cast(row_number() over (order by brand) as int) as code
    from (
      select
        products.brand as brand
      from {{ ref('dim_products') }} as products
      where
        products.brand is not null
      group by
        1
    ) as members
),

order_lines_department_codes as (
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
      order_lines_brand_codes.code as brand__code,
      order_lines_department_codes.code as department__code,
      products.brand = 'Private' as private_label_share__numerator__test0,
      not products.is_fuel as units__test1
    from {{ ref('dim_products') }} as products
    left join order_lines_brand_codes
      on products.brand = order_lines_brand_codes.brand
    left join order_lines_department_codes
      on products.department = order_lines_department_codes.department
),

grouped as (
    select
      order_lines.sold_on as day,
      case
        when grouping(products.brand__code) = 0
        then 'brand'
        when grouping(products.department__code) = 0
        then 'department'
        when grouping(order_lines.store_id) = 0
        then 'store'
      end as slice,
      products.brand__code as brand,
      products.department__code as department,
      order_lines.store_id as store,
      cast(sum(order_lines.discount_usd) as decimal(28, 6)) as discounts,
      cast(sum(order_lines.gross_sales_usd) as decimal(28, 6)) as gross_sales,
      cast(sum(order_lines.net_sales_usd) as decimal(28, 6)) as net_sales,
      cast(sum(
        case
          when products.private_label_share__numerator__test0
          then order_lines.net_sales_usd
        end
      ) as decimal(28, 6)) as private_label_share__numerator,
      cast(sum(case when order_lines.is_promoted then order_lines.net_sales_usd end) as decimal(28, 6)) as promoted_sales_share__numerator,
      cast(sum(case when products.units__test1 then order_lines.units end) as decimal(28, 6)) as units,
      cast(sum(case when (
        order_lines.is_promoted
      ) then order_lines.net_sales_usd end) as decimal(28, 6)) as unpromoted_sales__promoted
    from order_lines
    join products
      on order_lines.product_id = products.product_id
    where
      order_lines.sold_on is not null
    group by
      grouping sets (
        (order_lines.sold_on, products.brand__code),
        (order_lines.sold_on, products.department__code),
        (order_lines.sold_on, order_lines.store_id)
      )
),

final as (
    select
      grouped.day,
      grouped.slice,
      order_lines_brand_codes.brand,
      order_lines_department_codes.department,
      grouped.store,
      grouped.discounts,
      grouped.gross_sales,
      grouped.net_sales,
      grouped.private_label_share__numerator,
      grouped.promoted_sales_share__numerator,
      grouped.units,
      grouped.unpromoted_sales__promoted
    from grouped
    left join order_lines_brand_codes
      on grouped.brand = order_lines_brand_codes.code
    left join order_lines_department_codes
      on grouped.department = order_lines_department_codes.code
)

select * from final
