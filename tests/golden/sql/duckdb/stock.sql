-- sales_total_month_stock0
select
  period,
  cast(sum(m) as decimal(28, 6)) as m
from (
  select
    cast(date_trunc('MONTH', day) as date) as period,
    day,
    m,
    max(case when m is not null then day end) over (partition by cast(date_trunc('MONTH', day) as date), store) as taken
  from metrics.sales_by_category_store_daily
  where
    day >= cast('2024-01-01' as date) and day < cast('2024-03-01' as date)
) as marked
where
  day = taken
group by
  1;

-- sales_category_month_stock0
select
  period,
  category,
  cast(sum(m) as decimal(28, 6)) as m
from (
  select
    cast(date_trunc('MONTH', day) as date) as period,
    day,
    category,
    m,
    max(case when m is not null then day end) over (partition by cast(date_trunc('MONTH', day) as date), store) as taken
  from metrics.sales_by_category_store_daily
  where
    day >= cast('2024-01-01' as date) and day < cast('2024-03-01' as date)
) as marked
where
  day = taken
group by
  1,
  2;

-- total_month
select
  *
from sales_total_month_stock0 as keys;

-- category_month
select
  *
from sales_category_month_stock0 as keys;

-- values
select
  'm' as metric,
  'month' as grain,
  period,
  '' as slice,
  cast(null as text) as category,
  cast(m as decimal(28, 6)) as value,
  cast(m as decimal(28, 6)) as numerator,
  cast(null as decimal(28, 6)) as denominator,
  '16dd93b28b930504' as definition
from total_month
where
  m is not null;

-- values
select
  'm' as metric,
  'month' as grain,
  period,
  'category' as slice,
  cast(category as text) as category,
  cast(m as decimal(28, 6)) as value,
  cast(m as decimal(28, 6)) as numerator,
  cast(null as decimal(28, 6)) as denominator,
  '16dd93b28b930504' as definition
from category_month
where
  m is not null;
