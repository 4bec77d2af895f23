-- sales_rows
with sales as (
  select
    *
  from marts.fct_sales
)
select
  sales.sold_on as day,
  sales.product_id as value0
from sales
where
  sales.sold_on is not null
  and (
    sales.sold_on >= cast('2024-01-01' as date)
    and sales.sold_on < cast('2024-03-01' as date)
  );

-- sales_category_country_m_days
with products as (
  select
    *
  from marts.dim_products
), makers as (
  select
    *
  from marts.dim_makers
)
select
  day,
  products.category as category,
  upper(makers.country) as country,
  count(case when seen is null or seen < cast(trunc(day, 'MONTH') as date) then 1 end) as new_in_month
from (
  select
    day,
    value0 as entity,
    lag(day) over (partition by value0 order by day nulls last) as seen
  from sales_rows
  where
    value0 is not null
    and (
      day >= cast('2024-01-01' as date) and day < cast('2024-03-01' as date)
    )
) as rows
left join products
  on entity = products.product_id
left join makers
  on products.maker_id = makers.maker_id
group by
  1,
  2,
  3;

-- sales_total_m_month
select
  cast(trunc(day, 'MONTH') as date) as period,
  nullif(cast(sum(new_in_month) as bigint), 0) as m
from sales_category_country_m_days
where
  day >= cast('2024-01-01' as date) and day < cast('2024-03-01' as date)
group by
  1;

-- sales_category_m_month
select
  cast(trunc(day, 'MONTH') as date) as period,
  category,
  nullif(cast(sum(new_in_month) as bigint), 0) as m
from sales_category_country_m_days
where
  day >= cast('2024-01-01' as date) and day < cast('2024-03-01' as date)
group by
  1,
  2;

-- sales_country_m_month
select
  cast(trunc(day, 'MONTH') as date) as period,
  country,
  nullif(cast(sum(new_in_month) as bigint), 0) as m
from sales_category_country_m_days
where
  day >= cast('2024-01-01' as date) and day < cast('2024-03-01' as date)
group by
  1,
  2;

-- total_month
select
  *
from sales_total_m_month as keys;

-- category_month
select
  *
from sales_category_m_month as keys;

-- country_month
select
  *
from sales_country_m_month as keys;

-- values
select
  'm' as metric,
  'month' as grain,
  period,
  '' as slice,
  cast(null as string) as category,
  cast(null as string) as country,
  cast(m as decimal(28, 6)) as value,
  cast(m as decimal(28, 6)) as numerator,
  cast(null as decimal(28, 6)) as denominator,
  '6fd5bb7bc6e36658' as definition
from total_month
where
  m is not null;

-- values
select
  'm' as metric,
  'month' as grain,
  period,
  'category' as slice,
  cast(category as string) as category,
  cast(null as string) as country,
  cast(m as decimal(28, 6)) as value,
  cast(m as decimal(28, 6)) as numerator,
  cast(null as decimal(28, 6)) as denominator,
  '6fd5bb7bc6e36658' as definition
from category_month
where
  m is not null;

-- values
select
  'm' as metric,
  'month' as grain,
  period,
  'country' as slice,
  cast(null as string) as category,
  cast(country as string) as country,
  cast(m as decimal(28, 6)) as value,
  cast(m as decimal(28, 6)) as numerator,
  cast(null as decimal(28, 6)) as denominator,
  '6fd5bb7bc6e36658' as definition
from country_month
where
  m is not null;
