with coupon_redemptions as (
    select * from {{ source('clean', 'coupon_redemptions') }}
),

final as (
    select
        household_id,
        coupon_upc,
        campaign_id,
        redemption_date as redeemed_on
    from coupon_redemptions
)

select * from final
