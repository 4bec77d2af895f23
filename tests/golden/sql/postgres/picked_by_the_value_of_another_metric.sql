-- picked_sales_by_store_daily
with sales as (
  select
    *
  from marts.fct_sales
), receipts_of_each_member as (
  select
    receipts_of_each_member.*,
    receipts_of_each_member.value >= 5 as m__test0
  from metrics.receipts_of_each_member as receipts_of_each_member
)
select
  sales.sold_on as day,
  sales.store_id as store,
  cast(sum(
    case
      when receipts_of_each_member.m__test0 and sales.is_promoted
      then sales.amount_usd
    end
  ) as decimal(28, 6)) as m
from sales
left join receipts_of_each_member
  on sales.member_id = receipts_of_each_member.member
where
  sales.sold_on is not null
  and (
    sales.sold_on >= cast('2024-01-01' as date)
    and sales.sold_on < cast('2024-03-01' as date)
  )
group by
  1,
  2;

-- sales_picked_total_month
select
  cast(date_trunc('MONTH', day) as date) as period,
  cast(sum(m) as decimal(28, 6)) as m
from picked_sales_by_store_daily
where
  day >= cast('2024-01-01' as date) and day < cast('2024-03-01' as date)
group by
  1;

-- sales_picked_store_month
select
  cast(date_trunc('MONTH', day) as date) as period,
  store,
  cast(sum(m) as decimal(28, 6)) as m
from picked_sales_by_store_daily
where
  day >= cast('2024-01-01' as date) and day < cast('2024-03-01' as date)
group by
  1,
  2;

-- total_month
select
  *
from sales_picked_total_month as keys;

-- store_month
select
  *
from sales_picked_store_month as keys;

-- values
select
  'm' as metric,
  'month' as grain,
  period,
  '' as slice,
  cast(null as varchar) as store,
  cast(m as decimal(28, 6)) as value,
  cast(m as decimal(28, 6)) as numerator,
  cast(null as decimal(28, 6)) as denominator,
  '95d26df6d589fccf' as definition
from total_month
where
  m is not null;

-- values
select
  'm' as metric,
  'month' as grain,
  period,
  'store' as slice,
  cast(store as varchar) as store,
  cast(m as decimal(28, 6)) as value,
  cast(m as decimal(28, 6)) as numerator,
  cast(null as decimal(28, 6)) as denominator,
  '95d26df6d589fccf' as definition
from store_month
where
  m is not null;
