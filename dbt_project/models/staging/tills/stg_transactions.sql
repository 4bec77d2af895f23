with transactions as (
    select * from {{ source('clean', 'transactions') }}
),

final as (
    select
        basket_id,
        product_id,
        store_id,
        household_id,
        cast(transaction_timestamp as date) as sold_on,
        transaction_timestamp as sold_at,
        week as promotion_week,
        quantity as units,
        sales_value as net_sales_usd,
        coalesce(retail_disc, 0) as loyalty_discount_usd,
        coalesce(coupon_match_disc, 0) as coupon_match_usd,
        coalesce(coupon_disc, 0) as manufacturer_coupon_usd
    from transactions
)

select * from final
