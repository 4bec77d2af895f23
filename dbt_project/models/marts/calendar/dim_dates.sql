with days as (
    {{ dbt.date_spine('day', "cast('2016-01-01' as date)", "cast('2020-01-01' as date)") }}
),

{# A retail year begins on the Sunday nearest to the end of January; that of 2017 has 53 weeks. #}
retail_years as (
    {% for first_day in ['2015-02-01', '2016-01-31', '2017-01-29', '2018-02-04', '2019-02-03'] -%}
    select cast('{{ first_day }}' as date) as starts_on {{ 'union all' if not loop.last }}
    {% endfor %}
),

in_retail_years as (
    select
        cast(days.date_day as date) as date_day,
        max(retail_years.starts_on) as retail_year_start
    from days
    join retail_years on retail_years.starts_on <= days.date_day
    group by days.date_day
),

in_retail_weeks as (
    select
        date_day,
        retail_year_start,
        cast(floor({{ dbt.datediff('retail_year_start', 'date_day', 'day') }} / 7.0) as bigint) as week
    from in_retail_years
),

in_retail_quarters as (
    select
        *,
        case when week < 13 then 0 when week < 26 then 1 when week < 39 then 2 else 3 end as quarter
    from in_retail_weeks
),

-- Months of 4, 4 and 5 weeks; a 53rd week belongs to the last.
in_retail_months as (
    select
        *,
        3 * quarter + case when week - 13 * quarter < 4 then 1 when week - 13 * quarter < 8 then 2 else 3 end as month,
        cast(cast(extract(year from retail_year_start) as bigint) as {{ dbt.type_string() }}) as retail_year
    from in_retail_quarters
),

final as (
    select
        date_day,
        {{ week_of('date_day') }} as week_start,
        cast({{ dbt.date_trunc('month', 'date_day') }} as date) as month_start,
        cast({{ dbt.date_trunc('quarter', 'date_day') }} as date) as quarter_start,
        cast({{ dbt.date_trunc('year', 'date_day') }} as date) as year_start,
        cast({{ dbt.datediff(dbt.date_trunc('week', 'date_day'), 'date_day', 'day') }} + 1 as bigint) as weekday,
        {{ dbt.datediff(dbt.date_trunc('week', 'date_day'), 'date_day', 'day') }} >= 5 as is_weekend,
        retail_year,
        {{ dbt.concat(['retail_year', "'-Q'", 'cast(quarter + 1 as ' ~ dbt.type_string() ~ ')']) }} as retail_quarter,
        {{ dbt.concat(['retail_year', "case when month < 10 then '-0' else '-' end", 'cast(month as ' ~ dbt.type_string() ~ ')']) }}
            as retail_month
    from in_retail_months
)

select * from final
