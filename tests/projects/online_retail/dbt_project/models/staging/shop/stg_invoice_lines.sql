with online_retail as (
    select * from {{ source('clean', 'online_retail') }}
),

final as (
    select
        _row_id as line_id,
        invoice_number,
        invoice_number like 'C%' as is_cancellation,
        product_code,
        substring(product_code, 1, 1) between '0' and '9' as is_merchandise,
        customer_id,
        country,
        cast(invoiced_at as date) as invoiced_on,
        invoiced_at,
        quantity,
        unit_price_gbp,
        cast(quantity * unit_price_gbp as decimal(18, 3)) as amount_gbp
    from online_retail
)

select * from final
