-- Written by `metrics generate` from metrics_catalog/metrics. Change a metric file, not this one.
{{ config(materialized='incremental', incremental_strategy='changed_days', unique_key='day') }}

with order_lines as (
    select * from {{ ref('fct_order_lines') }}
    {% if is_incremental() %}where {{ in_dates('sold_on', changed_days()) }}{% endif %}
),

products as (
    select * from {{ ref('dim_products') }}
),

final as (
    select
      order_lines.sold_on as day,
      products.department as department,
      cast(sum(order_lines.discount_usd) as decimal(28, 6)) as discounts,
      cast(sum(order_lines.gross_sales_usd) as decimal(28, 6)) as gross_sales,
      cast(sum(order_lines.net_sales_usd) as decimal(28, 6)) as net_sales,
      cast(sum(case when products.brand = 'Private' then order_lines.net_sales_usd end) as decimal(28, 6)) as private_label_share__numerator,
      cast(sum(case when order_lines.is_promoted then order_lines.net_sales_usd end) as decimal(28, 6)) as promoted_sales_share__numerator,
      cast(sum(case when not products.is_fuel then order_lines.units end) as decimal(28, 6)) as units,
      cast(sum(case when (
        order_lines.is_promoted
      ) then order_lines.net_sales_usd end) as decimal(28, 6)) as unpromoted_sales__promoted
    from order_lines
    left join products
      on order_lines.product_id = products.product_id
    where
      order_lines.sold_on is not null
    group by
      1,
      2
)

select * from final
