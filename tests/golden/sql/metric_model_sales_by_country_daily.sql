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
    select
      products.*,
      products.category = '生鲜' as m__test0
    from {{ ref('dim_products') }} as products
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
      makers.country__code as country,
      cast(sum(case when products.m__test0 and sales.units > 0 then sales.amount_usd end) as decimal(28, 6)) as m
    from sales
    left join products
      on sales.product_id = products.product_id
    left join makers
      on products.maker_id = makers.maker_id
    where
      sales.sold_on is not null
    group by
      1,
      2
),

final as (
    select
      grouped.day,
      sales_country_codes.country,
      grouped.m
    from grouped
    left join sales_country_codes
      on grouped.country = sales_country_codes.code
)

select * from final
