-- sales_total_month
select
  cast(trunc(day, 'MONTH') as date) as period,
  cast(sum(top) as decimal(28, 6)) as top,
  cast(sum(bottom) as decimal(28, 6)) as bottom
from metrics.sales_by_store_daily
where
  day >= cast('2024-01-01' as date) and day < cast('2024-03-01' as date)
group by
  1;

-- sales_store_month
select
  cast(trunc(day, 'MONTH') as date) as period,
  store,
  cast(sum(top) as decimal(28, 6)) as top,
  cast(sum(bottom) as decimal(28, 6)) as bottom
from metrics.sales_by_store_daily
where
  day >= cast('2024-01-01' as date) and day < cast('2024-03-01' as date)
group by
  1,
  2;

-- total_month
select
  *
from sales_total_month as keys;

-- store_month
select
  *
from sales_store_month as keys;

-- values
select
  'm' as metric,
  'month' as grain,
  period,
  '' as slice,
  cast(null as string) as store,
  cast(cast(coalesce(top, 0) as double) / nullif(cast(bottom as double), 0) as decimal(28, 6)) as value,
  cast(coalesce(top, 0) as decimal(28, 6)) as numerator,
  cast(bottom as decimal(28, 6)) as denominator,
  'd3aa174b9331f914' as definition
from total_month
where
  not (
    cast(coalesce(top, 0) as double) / nullif(cast(bottom as double), 0)
  ) is null;

-- values
select
  'm' as metric,
  'month' as grain,
  period,
  'store' as slice,
  cast(store as string) as store,
  cast(cast(coalesce(top, 0) as double) / nullif(cast(bottom as double), 0) as decimal(28, 6)) as value,
  cast(coalesce(top, 0) as decimal(28, 6)) as numerator,
  cast(bottom as decimal(28, 6)) as denominator,
  'd3aa174b9331f914' as definition
from store_month
where
  not (
    cast(coalesce(top, 0) as double) / nullif(cast(bottom as double), 0)
  ) is null;
