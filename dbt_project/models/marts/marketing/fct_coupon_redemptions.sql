with redemptions as (
    select * from {{ ref('stg_coupon_redemptions') }}
),

campaigns as (
    select * from {{ ref('dim_campaigns') }}
),

coupons as (
    select * from {{ ref('stg_coupons') }}
),

coupon_products as (
    select
        campaign_id,
        coupon_upc,
        count(*) as products
    from coupons
    group by campaign_id, coupon_upc
),

final as (
    select
        {{ dbt.concat([
            "cast(redemptions.household_id as " ~ dbt.type_string() ~ ")", "'-'",
            "cast(redemptions.campaign_id as " ~ dbt.type_string() ~ ")", "'-'",
            "cast(redemptions.coupon_upc as " ~ dbt.type_string() ~ ")", "'-'",
            "cast(redemptions.redeemed_on as " ~ dbt.type_string() ~ ")"
        ]) }} as redemption_id,
        redemptions.household_id,
        redemptions.coupon_upc,
        redemptions.campaign_id,
        redemptions.redeemed_on,
        cast({{ dbt.datediff('campaigns.started_on', 'redemptions.redeemed_on', 'day') }} as bigint) as days_after_start,
        coalesce(coupon_products.products, 0) as coupon_products
    from redemptions
    inner join campaigns on redemptions.campaign_id = campaigns.campaign_id
    left join coupon_products
        on redemptions.campaign_id = coupon_products.campaign_id
        and redemptions.coupon_upc = coupon_products.coupon_upc
)

select * from final
