-- Written by `metrics generate` from metrics_catalog/metrics. Change a metric file, not this one.
{{ config(materialized='incremental', incremental_strategy='changed_days', unique_key='day', meta={'joins': ['dim_makers', 'dim_products']}) }}

with sales as (
    select * from {{ ref('fct_sales') }}
    {% if is_incremental() %}where {{ in_dates('sold_on', changed_days()) }}{% endif %}
),

sales_country_codes as (
    select
      country,
      cast(row_number() over (order by country) as int) as code
    from (
      select
        upper(makers.country) as country
      from {{ ref('dim_makers') }} as makers
      where
        not (
          upper(makers.country)
        ) is null
      group by
        1
    ) as members
),

products as (
    select * from {{ ref('dim_products') }}
),

makers as (
    select
      makers.*,
      sales_country_codes.code as country__code
    from {{ ref('dim_makers') }} as makers
    left join sales_country_codes
      on upper(makers.country) = sales_country_codes.country
),

grouped as (
    select
      sales.sold_on as day,
      case
        when grouping(sales.product_id) = 0
        then 'product'
        when grouping(makers.country__code) = 0 and grouping(sales.store_id) = 0
        then 'country,store'
      end as slice,
      sales.product_id as product,
      makers.country__code as country,
      sales.store_id as store,
      cast(sum(sales.amount_usd) as decimal(28, 6)) as m
    from sales
    left join products
      on sales.product_id = products.product_id
    left join makers
      on products.maker_id = makers.maker_id
    where
      sales.sold_on is not null
    group by
      grouping sets (
        (sales.sold_on, sales.product_id),
        (sales.sold_on, makers.country__code, sales.store_id)
      )
),

final as (
    select
      grouped.day,
      grouped.slice,
      grouped.product,
      coalesce(sales_country_codes.country, upper(makers.country)) as country,
      grouped.store,
      grouped.m
    from grouped
    left join sales_country_codes
      on grouped.country = sales_country_codes.code
    left join products
      on grouped.product = products.product_id
    left join makers
      on products.maker_id = makers.maker_id
)

select * from final
