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

-- sales_month_keys0
select
  cast(date_trunc('MONTH', day) as date) as period,
  value0 as entity
from sales_rows
where
  (
    day >= cast('2024-01-01' as date) and day < cast('2024-03-01' as date)
  )
  and value0 is not null
group by
  1,
  2;

-- sales_month_keys0_total
select
  period,
  count(*) as m
from sales_month_keys0
group by
  1;

-- sales_month_keys0_category
with products as (
  select
    *
  from marts.dim_products
)
select
  period,
  products.category as category,
  count(*) as m
from sales_month_keys0
left join products
  on entity = products.product_id
group by
  1,
  2;

-- sales_month_keys0_country
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
  period,
  upper(makers.country) as country,
  count(*) as m
from sales_month_keys0
left join products
  on entity = products.product_id
left join makers
  on products.maker_id = makers.maker_id
group by
  1,
  2;

-- total_month
select
  *
from sales_month_keys0_total;

-- category_month
select
  *
from sales_month_keys0_category;

-- country_month
select
  *
from sales_month_keys0_country;

-- values
select
  'm' as metric,
  'month' as grain,
  period,
  '' as slice,
  cast(null as varchar) as category,
  cast(null as varchar) as country,
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
  cast(category as varchar) as category,
  cast(null as varchar) as country,
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
  cast(null as varchar) as category,
  cast(country as varchar) as country,
  cast(m as decimal(28, 6)) as value,
  cast(m as decimal(28, 6)) as numerator,
  cast(null as decimal(28, 6)) as denominator,
  '6fd5bb7bc6e36658' as definition
from country_month
where
  m is not null;
