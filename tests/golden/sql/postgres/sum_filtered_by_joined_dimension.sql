-- sales_total_month
select
  cast(date_trunc('MONTH', day) as date) as period,
  cast(sum(m) as decimal(28, 6)) as m
from metrics.sales_by_country_daily
where
  day >= cast('2024-01-01' as date) and day < cast('2024-03-01' as date)
group by
  1;

-- sales_country_month
select
  cast(date_trunc('MONTH', day) as date) as period,
  country,
  cast(sum(m) as decimal(28, 6)) as m
from metrics.sales_by_country_daily
where
  day >= cast('2024-01-01' as date) and day < cast('2024-03-01' as date)
group by
  1,
  2;

-- total_month
select
  *
from sales_total_month as keys;

-- country_month
select
  *
from sales_country_month as keys;

-- values
select
  'm' as metric,
  'month' as grain,
  period,
  '' as slice,
  cast(null as varchar) as country,
  cast(m as decimal(28, 6)) as value,
  cast(m as decimal(28, 6)) as numerator,
  cast(null as decimal(28, 6)) as denominator,
  'b23f53f99878ab9c' as definition
from total_month
where
  m is not null;

-- values
select
  'm' as metric,
  'month' as grain,
  period,
  'country' as slice,
  cast(country as varchar) as country,
  cast(m as decimal(28, 6)) as value,
  cast(m as decimal(28, 6)) as numerator,
  cast(null as decimal(28, 6)) as denominator,
  'b23f53f99878ab9c' as definition
from country_month
where
  m is not null;
