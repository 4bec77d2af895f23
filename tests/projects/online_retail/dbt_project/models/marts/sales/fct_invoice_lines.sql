{{ config(materialized='incremental', incremental_strategy='changed_days', unique_key='invoiced_on') }}

with invoice_lines as (
    select * from {{ ref('stg_invoice_lines') }}
    {% if is_incremental() %}where {{ in_dates('invoiced_on', changed_days()) }}{% endif %}
),

final as (
    select
        line_id,
        invoice_number,
        product_code,
        customer_id,
        country,
        invoiced_on,
        is_cancellation,
        case when is_merchandise then 'goods' else 'charges' end as line_kind,
        quantity,
        amount_gbp
    from invoice_lines
)

select * from final
