with coupons as (
    select * from {{ source('clean', 'coupons') }}
),

final as (
    select
        coupon_upc,
        product_id,
        campaign_id
    from coupons
)

select * from final
