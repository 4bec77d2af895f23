{{ config(materialized='incremental', incremental_strategy='changed_days', unique_key='sold_on') }}

with order_lines as (
    select * from {{ ref('fct_order_lines') }}
    {% if is_incremental() %}where {{ in_dates('sold_on', changed_days()) }}{% endif %}
),

products as (
    select * from {{ ref('dim_products') }}
),

-- min() picks the one value there is: a test on fct_order_lines holds that a receipt has one store, household and day.
final as (
    select
        order_lines.basket_id as receipt_id,
        min(order_lines.store_id) as store_id,
        min(order_lines.household_id) as household_id,
        min(order_lines.sold_on) as sold_on,
        min(order_lines.sold_at) as sold_at,
        count(*) as lines,
        cast(sum(case when products.is_fuel then 0 else order_lines.units end) as bigint) as units,
        cast(sum(order_lines.net_sales_usd) as decimal(18, 2)) as net_sales_usd,
        cast(sum(order_lines.gross_sales_usd) as decimal(18, 2)) as gross_sales_usd,
        cast(sum(order_lines.discount_usd) as decimal(18, 2)) as discount_usd,
        cast(sum(order_lines.manufacturer_coupon_usd) as decimal(18, 2)) as manufacturer_coupon_usd,
        max(case when order_lines.is_promoted then 1 else 0 end) = 1 as has_promotion
    from order_lines
    left join products on order_lines.product_id = products.product_id
    group by order_lines.basket_id
)

select * from final
