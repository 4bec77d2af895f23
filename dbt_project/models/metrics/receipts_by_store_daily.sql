-- Written by `metrics generate` from metrics_catalog/metrics. Change a metric file, not this one.
{{ config(materialized='incremental', incremental_strategy='changed_days', unique_key='day') }}

with receipts as (
    select * from {{ ref('fct_receipts') }}
    {% if is_incremental() %}where {{ in_dates('sold_on', changed_days()) }}{% endif %}
),

final as (
    select
      receipts.sold_on as day,
      receipts.store_id as store,
      max(receipts.net_sales_usd) as largest_receipt,
      cast(sum(receipts.lines) as decimal(28, 6)) as lines_per_receipt__sum,
      cast(count(*) as bigint) as receipts
    from receipts
    where
      receipts.sold_on is not null
    group by
      1,
      2
)

select * from final
