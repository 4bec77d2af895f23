-- Written by `metrics generate` from metrics_catalog/metrics. Change a metric file, not this one.
{{ config(materialized='incremental', incremental_strategy='changed_days', unique_key='day') }}

with receipts as (
    select * from {{ ref('fct_receipts') }}
    {% if is_incremental() %}where {{ in_dates('cast(sold_at as date)', changed_days()) }}{% endif %}
),

final as (
    select
      cast(receipts.sold_at as date) as day,
      case
        when grouping(date_trunc('HOUR', receipts.sold_at)) = 0
        then 'at'
        when grouping(receipts.store_id) = 0
        then 'store'
      end as slice,
      receipts.store_id as store,
      date_trunc('HOUR', receipts.sold_at) as "at",
      max(receipts.net_sales_usd) as largest_receipt,
      cast(sum(receipts.lines) as decimal(28, 6)) as lines_per_receipt__sum,
      cast(nullif(count(case when receipts.has_promotion then 1 end), 0) as bigint) as promoted_receipts,
      cast(count(*) as bigint) as receipts
    from receipts
    where
      not cast(receipts.sold_at as date) is null
    group by
      grouping sets (
        (cast(receipts.sold_at as date), receipts.store_id),
        (cast(receipts.sold_at as date), date_trunc('HOUR', receipts.sold_at))
      )
)

select * from final
