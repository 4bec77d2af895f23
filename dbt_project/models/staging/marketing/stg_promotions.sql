with promotions as (
    select * from {{ source('clean', 'promotions') }}
),

final as (
    select
        product_id,
        store_id,
        week as promotion_week,
        display_location <> '0' as is_on_display,
        mailer_location <> '0' as is_in_mailer
    from promotions
)

select * from final
