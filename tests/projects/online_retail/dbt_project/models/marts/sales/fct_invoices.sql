{{ config(materialized='incremental', incremental_strategy='changed_days', unique_key='invoiced_on') }}

with invoice_lines as (
    select * from {{ ref('fct_invoice_lines') }}
    {% if is_incremental() %}where {{ in_dates('invoiced_on', changed_days()) }}{% endif %}
),

-- min() picks the one value there is: a test holds that an invoice has one customer, country, day and kind.
final as (
    select
        invoice_number,
        min(customer_id) as customer_id,
        min(country) as country,
        min(invoiced_on) as invoiced_on,
        max(case when is_cancellation then 1 else 0 end) = 1 as is_cancellation,
        count(*) as lines,
        cast(sum(amount_gbp) as decimal(18, 3)) as amount_gbp
    from invoice_lines
    group by invoice_number
)

select * from final
