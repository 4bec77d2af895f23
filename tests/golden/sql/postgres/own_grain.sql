-- sales_total_fiscal_month
select
  case
    when day >= cast('2023-12-31' as date)
    then case
      when day < cast('2024-02-25' as date)
      then case
        when day < cast('2024-01-28' as date)
        then cast('2023-12-31' as date)
        else cast('2024-01-28' as date)
      end
      else case
        when day < cast('2024-03-31' as date)
        then cast('2024-02-25' as date)
        else cast('2024-03-31' as date)
      end
    end
  end as period,
  cast(sum(m) as decimal(28, 6)) as m
from metrics.sales_by_store_daily
where
  day >= cast('2024-01-28' as date) and day < cast('2024-03-31' as date)
group by
  1;

-- sales_store_fiscal_month
select
  case
    when day >= cast('2023-12-31' as date)
    then case
      when day < cast('2024-02-25' as date)
      then case
        when day < cast('2024-01-28' as date)
        then cast('2023-12-31' as date)
        else cast('2024-01-28' as date)
      end
      else case
        when day < cast('2024-03-31' as date)
        then cast('2024-02-25' as date)
        else cast('2024-03-31' as date)
      end
    end
  end as period,
  store,
  cast(sum(m) as decimal(28, 6)) as m
from metrics.sales_by_store_daily
where
  day >= cast('2024-01-28' as date) and day < cast('2024-03-31' as date)
group by
  1,
  2;

-- total_fiscal_month
select
  *
from sales_total_fiscal_month as keys;

-- store_fiscal_month
select
  *
from sales_store_fiscal_month as keys;

-- values
select
  'm' as metric,
  'fiscal_month' as grain,
  period,
  '' as slice,
  cast(null as varchar) as store,
  cast(m as decimal(28, 6)) as value,
  cast(m as decimal(28, 6)) as numerator,
  cast(null as decimal(28, 6)) as denominator,
  'f68a32a932fc0e50' as definition
from total_fiscal_month
where
  m is not null;

-- values
select
  'm' as metric,
  'fiscal_month' as grain,
  period,
  'store' as slice,
  cast(store as varchar) as store,
  cast(m as decimal(28, 6)) as value,
  cast(m as decimal(28, 6)) as numerator,
  cast(null as decimal(28, 6)) as denominator,
  'f68a32a932fc0e50' as definition
from store_fiscal_month
where
  m is not null;
