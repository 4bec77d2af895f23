-- sales_total_year_to_date_days
select
  day,
  cast(sum(m__of) as decimal(28, 6)) as m__of
from metrics.sales_by_store_daily
where
  day >= cast('2024-01-01' as date) and day < cast('2024-03-01' as date)
group by
  1;

-- sales_total_year_to_date_running
select
  grid.day,
  cast(sum(found.m__of) over (
    partition by cast(date_trunc('YEAR', grid.day) as date)
    order by grid.day
    rows between unbounded preceding and current row
  ) as decimal(28, 6)) as m__of__year_to_date
from (
  select
    days.day
  from (
    select
      cast(day as date) as day
    from (values
      ('2024-01-01'),
      ('2024-01-02'),
      ('2024-01-03'),
      ('2024-01-04'),
      ('2024-01-05'),
      ('2024-01-06'),
      ('2024-01-07'),
      ('2024-01-08'),
      ('2024-01-09'),
      ('2024-01-10'),
      ('2024-01-11'),
      ('2024-01-12'),
      ('2024-01-13'),
      ('2024-01-14'),
      ('2024-01-15'),
      ('2024-01-16'),
      ('2024-01-17'),
      ('2024-01-18'),
      ('2024-01-19'),
      ('2024-01-20'),
      ('2024-01-21'),
      ('2024-01-22'),
      ('2024-01-23'),
      ('2024-01-24'),
      ('2024-01-25'),
      ('2024-01-26'),
      ('2024-01-27'),
      ('2024-01-28'),
      ('2024-01-29'),
      ('2024-01-30'),
      ('2024-01-31'),
      ('2024-02-01'),
      ('2024-02-02'),
      ('2024-02-03'),
      ('2024-02-04'),
      ('2024-02-05'),
      ('2024-02-06'),
      ('2024-02-07'),
      ('2024-02-08'),
      ('2024-02-09'),
      ('2024-02-10'),
      ('2024-02-11'),
      ('2024-02-12'),
      ('2024-02-13'),
      ('2024-02-14'),
      ('2024-02-15'),
      ('2024-02-16'),
      ('2024-02-17'),
      ('2024-02-18'),
      ('2024-02-19'),
      ('2024-02-20'),
      ('2024-02-21'),
      ('2024-02-22'),
      ('2024-02-23'),
      ('2024-02-24'),
      ('2024-02-25'),
      ('2024-02-26'),
      ('2024-02-27'),
      ('2024-02-28'),
      ('2024-02-29')) as written(day)
  ) as days
) as grid
left join sales_total_year_to_date_days as found
  on grid.day = found.day;

-- sales_total_year_to_date_running_day
select
  day as period,
  m__of__year_to_date
from sales_total_year_to_date_running
where
  day >= cast('2024-02-28' as date) and day < cast('2024-03-01' as date);

-- sales_total_year_to_date_running_month
select
  cast(date_trunc('MONTH', day) as date) as period,
  m__of__year_to_date
from sales_total_year_to_date_running
where
  cast(date_trunc('MONTH', cast(day + interval '1 DAY' as date)) as date) = cast(day + interval '1 DAY' as date)
  and (
    day >= cast('2024-01-01' as date) and day < cast('2024-03-01' as date)
  );

-- sales_store_year_to_date_days
select
  day,
  store,
  cast(sum(m__of) as decimal(28, 6)) as m__of
from metrics.sales_by_store_daily
where
  day >= cast('2024-01-01' as date) and day < cast('2024-03-01' as date)
group by
  1,
  2;

-- sales_store_year_to_date_running
select
  grid.day,
  grid.store,
  cast(sum(found.m__of) over (
    partition by grid.store, cast(date_trunc('YEAR', grid.day) as date)
    order by grid.day
    rows between unbounded preceding and current row
  ) as decimal(28, 6)) as m__of__year_to_date
from (
  select
    days.day,
    members.store
  from (
    select
      cast(day as date) as day
    from (values
      ('2024-01-01'),
      ('2024-01-02'),
      ('2024-01-03'),
      ('2024-01-04'),
      ('2024-01-05'),
      ('2024-01-06'),
      ('2024-01-07'),
      ('2024-01-08'),
      ('2024-01-09'),
      ('2024-01-10'),
      ('2024-01-11'),
      ('2024-01-12'),
      ('2024-01-13'),
      ('2024-01-14'),
      ('2024-01-15'),
      ('2024-01-16'),
      ('2024-01-17'),
      ('2024-01-18'),
      ('2024-01-19'),
      ('2024-01-20'),
      ('2024-01-21'),
      ('2024-01-22'),
      ('2024-01-23'),
      ('2024-01-24'),
      ('2024-01-25'),
      ('2024-01-26'),
      ('2024-01-27'),
      ('2024-01-28'),
      ('2024-01-29'),
      ('2024-01-30'),
      ('2024-01-31'),
      ('2024-02-01'),
      ('2024-02-02'),
      ('2024-02-03'),
      ('2024-02-04'),
      ('2024-02-05'),
      ('2024-02-06'),
      ('2024-02-07'),
      ('2024-02-08'),
      ('2024-02-09'),
      ('2024-02-10'),
      ('2024-02-11'),
      ('2024-02-12'),
      ('2024-02-13'),
      ('2024-02-14'),
      ('2024-02-15'),
      ('2024-02-16'),
      ('2024-02-17'),
      ('2024-02-18'),
      ('2024-02-19'),
      ('2024-02-20'),
      ('2024-02-21'),
      ('2024-02-22'),
      ('2024-02-23'),
      ('2024-02-24'),
      ('2024-02-25'),
      ('2024-02-26'),
      ('2024-02-27'),
      ('2024-02-28'),
      ('2024-02-29')) as written(day)
  ) as days
  cross join (
    select distinct
      store
    from sales_store_year_to_date_days
  ) as members
) as grid
left join sales_store_year_to_date_days as found
  on grid.day = found.day and grid.store is not distinct from found.store;

-- sales_store_year_to_date_running_day
select
  day as period,
  store,
  m__of__year_to_date
from sales_store_year_to_date_running
where
  day >= cast('2024-02-28' as date) and day < cast('2024-03-01' as date);

-- sales_store_year_to_date_running_month
select
  cast(date_trunc('MONTH', day) as date) as period,
  store,
  m__of__year_to_date
from sales_store_year_to_date_running
where
  cast(date_trunc('MONTH', cast(day + interval '1 DAY' as date)) as date) = cast(day + interval '1 DAY' as date)
  and (
    day >= cast('2024-01-01' as date) and day < cast('2024-03-01' as date)
  );

-- total_day
select
  *
from sales_total_year_to_date_running_day as keys;

-- store_day
select
  *
from sales_store_year_to_date_running_day as keys;

-- total_month
select
  *
from sales_total_year_to_date_running_month as keys;

-- store_month
select
  *
from sales_store_year_to_date_running_month as keys;

-- values
select
  'm' as metric,
  'day' as grain,
  period,
  '' as slice,
  cast(null as varchar) as store,
  cast(m__of__year_to_date as decimal(28, 6)) as value,
  cast(m__of__year_to_date as decimal(28, 6)) as numerator,
  cast(null as decimal(28, 6)) as denominator,
  '072cb49f416f0a0c' as definition
from total_day
where
  m__of__year_to_date is not null;

-- values
select
  'm' as metric,
  'day' as grain,
  period,
  'store' as slice,
  cast(store as varchar) as store,
  cast(m__of__year_to_date as decimal(28, 6)) as value,
  cast(m__of__year_to_date as decimal(28, 6)) as numerator,
  cast(null as decimal(28, 6)) as denominator,
  '072cb49f416f0a0c' as definition
from store_day
where
  m__of__year_to_date is not null;

-- values
select
  'm' as metric,
  'month' as grain,
  period,
  '' as slice,
  cast(null as varchar) as store,
  cast(m__of__year_to_date as decimal(28, 6)) as value,
  cast(m__of__year_to_date as decimal(28, 6)) as numerator,
  cast(null as decimal(28, 6)) as denominator,
  '072cb49f416f0a0c' as definition
from total_month
where
  m__of__year_to_date is not null;

-- values
select
  'm' as metric,
  'month' as grain,
  period,
  'store' as slice,
  cast(store as varchar) as store,
  cast(m__of__year_to_date as decimal(28, 6)) as value,
  cast(m__of__year_to_date as decimal(28, 6)) as numerator,
  cast(null as decimal(28, 6)) as denominator,
  '072cb49f416f0a0c' as definition
from store_month
where
  m__of__year_to_date is not null;
