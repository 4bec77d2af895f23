with receipts as (
    select * from {{ ref('fct_receipts') }}
),

stores as (
    select
        store_id,
        min(sold_on) as first_sold_on,
        max(sold_on) as last_sold_on,
        sum(case when sold_on <= cast('{{ var("store_sizes_set_on") }}' as date) then 1 else 0 end) as receipts_when_sized
    from receipts
    group by store_id
),

final as (
    select
        store_id,
        first_sold_on,
        last_sold_on,
        case
            when receipts_when_sized >= 600 then 'Large'
            when receipts_when_sized >= 100 then 'Medium'
            when receipts_when_sized >= 1 then 'Small'
            else 'New'
        end as store_size
    from stores
)

select * from final
