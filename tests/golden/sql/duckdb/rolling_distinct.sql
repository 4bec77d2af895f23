-- sales_rows
with sales as (
  select
    *
  from marts.fct_sales
)
select
  sales.sold_on as day,
  sales.store_id as store,
  sales.member_id as value0
from sales
where
  sales.sold_on is not null
  and (
    sales.sold_on >= cast('2024-02-01' as date)
    and sales.sold_on < cast('2024-03-01' as date)
  );

-- sales_total_m__of__last_28_day_days
with stretches as (
  select
    day,
    least(
      cast(day + interval 28 day as date),
      lead(day) over (partition by entity order by day)
    ) as until
  from (
    select
      day,
      value0 as entity
    from sales_rows
    where
      value0 is not null
      and (
        day >= cast('2024-02-01' as date) and day < cast('2024-03-01' as date)
      )
  ) as touched
)
select
  day,
  sum(change) as change
from (
  select
    day,
    1 as change
  from stretches
  union all
  select
    until as day,
    -1 as change
  from stretches
) as changes
group by
  1;

-- sales_total_m__of__last_28_day_running
select
  grid.day,
  nullif(
    cast(sum(found.change) over (order by grid.day rows between unbounded preceding and current row) as bigint),
    0
  ) as m__of__last_28_day
from (
  select
    days.day
  from (
    select
      cast(day as date) as day
    from (values
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
left join sales_total_m__of__last_28_day_days as found
  on grid.day = found.day;

-- sales_total_m__of__last_28_day_running_day
select
  day as period,
  m__of__last_28_day
from sales_total_m__of__last_28_day_running
where
  day >= cast('2024-02-28' as date) and day < cast('2024-03-01' as date);

-- sales_store_m__of__last_28_day_days
with stretches as (
  select
    day,
    store,
    least(
      cast(day + interval 28 day as date),
      lead(day) over (partition by store, entity order by day)
    ) as until
  from (
    select
      day,
      store,
      value0 as entity
    from sales_rows
    where
      value0 is not null
      and (
        day >= cast('2024-02-01' as date) and day < cast('2024-03-01' as date)
      )
  ) as touched
)
select
  day,
  store,
  sum(change) as change
from (
  select
    day,
    store,
    1 as change
  from stretches
  union all
  select
    until as day,
    store,
    -1 as change
  from stretches
) as changes
group by
  1,
  2;

-- sales_store_m__of__last_28_day_running
select
  grid.day,
  grid.store,
  nullif(
    cast(sum(found.change) over (
      partition by grid.store
      order by grid.day
      rows between unbounded preceding and current row
    ) as bigint),
    0
  ) as m__of__last_28_day
from (
  select
    days.day,
    members.store
  from (
    select
      cast(day as date) as day
    from (values
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
    from sales_store_m__of__last_28_day_days
  ) as members
) as grid
left join sales_store_m__of__last_28_day_days as found
  on grid.day = found.day and grid.store is not distinct from found.store;

-- sales_store_m__of__last_28_day_running_day
select
  day as period,
  store,
  m__of__last_28_day
from sales_store_m__of__last_28_day_running
where
  day >= cast('2024-02-28' as date) and day < cast('2024-03-01' as date);

-- total_day
select
  *
from sales_total_m__of__last_28_day_running_day as keys;

-- store_day
select
  *
from sales_store_m__of__last_28_day_running_day as keys;

-- values
select
  'm' as metric,
  'day' as grain,
  period,
  '' as slice,
  cast(null as text) as store,
  cast(m__of__last_28_day as decimal(28, 6)) as value,
  cast(m__of__last_28_day as decimal(28, 6)) as numerator,
  cast(null as decimal(28, 6)) as denominator,
  'cf5757891c32edd5' as definition
from total_day
where
  m__of__last_28_day is not null;

-- values
select
  'm' as metric,
  'day' as grain,
  period,
  'store' as slice,
  cast(store as text) as store,
  cast(m__of__last_28_day as decimal(28, 6)) as value,
  cast(m__of__last_28_day as decimal(28, 6)) as numerator,
  cast(null as decimal(28, 6)) as denominator,
  'cf5757891c32edd5' as definition
from store_day
where
  m__of__last_28_day is not null;
