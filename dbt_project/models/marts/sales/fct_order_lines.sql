{{ config(materialized='incremental', incremental_strategy='changed_days', unique_key='sold_on') }}

with transactions as (
    select * from {{ ref('stg_transactions') }}
    {% if is_incremental() %}where {{ in_dates('sold_on', changed_days()) }}{% endif %}
),

promotions as (
    select * from {{ ref('stg_promotions') }}
),

-- Narrowed to what was sold before grouping: of twenty million promotions a few hundred thousand can matter.
promoted as (
    select
        promotions.product_id,
        promotions.store_id,
        promotions.promotion_week,
        max(case when promotions.is_on_display then 1 else 0 end) = 1 as is_on_display,
        max(case when promotions.is_in_mailer then 1 else 0 end) = 1 as is_in_mailer
    from promotions
    inner join transactions
        on promotions.product_id = transactions.product_id
        and promotions.store_id = transactions.store_id
        and promotions.promotion_week = transactions.promotion_week
    group by promotions.product_id, promotions.store_id, promotions.promotion_week
),

final as (
    select
        transactions.basket_id * 100000000 + transactions.product_id as order_line_id,
        transactions.basket_id,
        transactions.product_id,
        transactions.store_id,
        transactions.household_id,
        transactions.sold_on,
        transactions.sold_at,
        transactions.units,
        transactions.net_sales_usd,
        cast(
            transactions.net_sales_usd + transactions.loyalty_discount_usd + transactions.coupon_match_usd as decimal(18, 2)
        ) as gross_sales_usd,
        cast(transactions.loyalty_discount_usd + transactions.coupon_match_usd as decimal(18, 2)) as discount_usd,
        transactions.loyalty_discount_usd,
        transactions.coupon_match_usd,
        transactions.manufacturer_coupon_usd,
        coalesce(promoted.is_on_display, false) as is_on_display,
        coalesce(promoted.is_in_mailer, false) as is_in_mailer,
        promoted.product_id is not null as is_promoted
    from transactions
    left join promoted
        on transactions.product_id = promoted.product_id
        and transactions.store_id = promoted.store_id
        and transactions.promotion_week = promoted.promotion_week
)

select * from final
