-- sales_category_codes
select
  category,
  cast(row_number() over (order by category nulls last) as int) as code
from (
  select
    products.category as category
  from marts.dim_products as products
  where
    products.category is not null
  group by
    1
) as members;

-- sales_rows
with sales as (
  select
    *
  from marts.fct_sales
), products as (
  select
    products.*,
    sales_category_codes.code as category__code
  from marts.dim_products as products
  left join sales_category_codes
    on products.category = sales_category_codes.category
)
select
  sales.sold_on as day,
  products.category__code as category,
  sales.product_id as product,
  sales.member_id as value0,
  sales.is_promoted as keep1
from sales
left join products
  on sales.product_id = products.product_id
where
  sales.sold_on is not null
  and (
    sales.sold_on >= cast('2024-01-01' as date)
    and sales.sold_on < cast('2024-03-01' as date)
  );

-- sales_value0_by_category_product
select
  day,
  category,
  product,
  value0,
  max(case when keep1 then 1 else 0 end) = 1 as keep1
from sales_rows
where
  value0 is not null
group by
  1,
  2,
  3,
  4;

-- sales_total_m_days
select
  day,
  count(case when seen is null or seen < day then 1 end) as new_in_day,
  count(case when seen is null or seen < cast(trunc(day, 'MONTH') as date) then 1 end) as new_in_month
from (
  select
    day,
    value0 as entity,
    lag(day) over (partition by value0 order by day nulls last) as seen
  from sales_value0_by_category_product
  where
    value0 is not null
    and (
      day >= cast('2024-01-01' as date) and day < cast('2024-03-01' as date)
    )
    and keep1
) as rows
group by
  1;

-- sales_total_m_day
select
  day as period,
  nullif(new_in_day, 0) as m
from sales_total_m_days
where
  day >= cast('2024-02-28' as date) and day < cast('2024-03-01' as date);

-- sales_total_m_month
select
  cast(trunc(day, 'MONTH') as date) as period,
  nullif(cast(sum(new_in_month) as bigint), 0) as m
from sales_total_m_days
where
  day >= cast('2024-01-01' as date) and day < cast('2024-03-01' as date)
group by
  1;

-- sales_product_m_days
select
  day,
  product,
  count(case when seen is null or seen < day then 1 end) as new_in_day,
  count(case when seen is null or seen < cast(trunc(day, 'MONTH') as date) then 1 end) as new_in_month
from (
  select
    day,
    product,
    value0 as entity,
    lag(day) over (partition by value0, product order by day nulls last) as seen
  from sales_value0_by_category_product
  where
    value0 is not null
    and (
      day >= cast('2024-01-01' as date) and day < cast('2024-03-01' as date)
    )
    and keep1
) as rows
group by
  1,
  2;

-- sales_product_m_day
select
  day as period,
  product,
  nullif(new_in_day, 0) as m
from sales_product_m_days
where
  day >= cast('2024-02-28' as date) and day < cast('2024-03-01' as date);

-- sales_product_m_month
select
  cast(trunc(day, 'MONTH') as date) as period,
  product,
  nullif(cast(sum(new_in_month) as bigint), 0) as m
from sales_product_m_days
where
  day >= cast('2024-01-01' as date) and day < cast('2024-03-01' as date)
group by
  1,
  2;

-- sales_category_m_days
select
  coded.day,
  sales_category_codes.category,
  coded.new_in_day,
  coded.new_in_month
from (
  select
    day,
    category,
    count(case when seen is null or seen < day then 1 end) as new_in_day,
    count(case when seen is null or seen < cast(trunc(day, 'MONTH') as date) then 1 end) as new_in_month
  from (
    select
      day,
      category,
      value0 as entity,
      lag(day) over (partition by value0, category order by day nulls last) as seen
    from sales_value0_by_category_product
    where
      value0 is not null
      and (
        day >= cast('2024-01-01' as date) and day < cast('2024-03-01' as date)
      )
      and keep1
  ) as rows
  group by
    1,
    2
) as coded
left join sales_category_codes
  on coded.category = sales_category_codes.code;

-- sales_category_m_day
select
  day as period,
  category,
  nullif(new_in_day, 0) as m
from sales_category_m_days
where
  day >= cast('2024-02-28' as date) and day < cast('2024-03-01' as date);

-- sales_category_m_month
select
  cast(trunc(day, 'MONTH') as date) as period,
  category,
  nullif(cast(sum(new_in_month) as bigint), 0) as m
from sales_category_m_days
where
  day >= cast('2024-01-01' as date) and day < cast('2024-03-01' as date)
group by
  1,
  2;

-- total_day
select
  *
from sales_total_m_day as keys;

-- product_day
select
  *
from sales_product_m_day as keys;

-- category_day
select
  *
from sales_category_m_day as keys;

-- total_month
select
  *
from sales_total_m_month as keys;

-- product_month
select
  *
from sales_product_m_month as keys;

-- category_month
select
  *
from sales_category_m_month as keys;

-- values
select
  'm' as metric,
  'day' as grain,
  period,
  '' as slice,
  cast(null as string) as category,
  cast(null as string) as product,
  cast(m as decimal(28, 6)) as value,
  cast(m as decimal(28, 6)) as numerator,
  cast(null as decimal(28, 6)) as denominator,
  '3c440367b22feec3' as definition
from total_day
where
  m is not null;

-- values
select
  'm' as metric,
  'day' as grain,
  period,
  'product' as slice,
  cast(null as string) as category,
  cast(product as string) as product,
  cast(m as decimal(28, 6)) as value,
  cast(m as decimal(28, 6)) as numerator,
  cast(null as decimal(28, 6)) as denominator,
  '3c440367b22feec3' as definition
from product_day
where
  m is not null;

-- values
select
  'm' as metric,
  'day' as grain,
  period,
  'category' as slice,
  cast(category as string) as category,
  cast(null as string) as product,
  cast(m as decimal(28, 6)) as value,
  cast(m as decimal(28, 6)) as numerator,
  cast(null as decimal(28, 6)) as denominator,
  '3c440367b22feec3' as definition
from category_day
where
  m is not null;

-- values
select
  'm' as metric,
  'month' as grain,
  period,
  '' as slice,
  cast(null as string) as category,
  cast(null as string) as product,
  cast(m as decimal(28, 6)) as value,
  cast(m as decimal(28, 6)) as numerator,
  cast(null as decimal(28, 6)) as denominator,
  '3c440367b22feec3' as definition
from total_month
where
  m is not null;

-- values
select
  'm' as metric,
  'month' as grain,
  period,
  'product' as slice,
  cast(null as string) as category,
  cast(product as string) as product,
  cast(m as decimal(28, 6)) as value,
  cast(m as decimal(28, 6)) as numerator,
  cast(null as decimal(28, 6)) as denominator,
  '3c440367b22feec3' as definition
from product_month
where
  m is not null;

-- values
select
  'm' as metric,
  'month' as grain,
  period,
  'category' as slice,
  cast(category as string) as category,
  cast(null as string) as product,
  cast(m as decimal(28, 6)) as value,
  cast(m as decimal(28, 6)) as numerator,
  cast(null as decimal(28, 6)) as denominator,
  '3c440367b22feec3' as definition
from category_month
where
  m is not null;
