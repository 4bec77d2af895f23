with receipts as (
    select * from {{ ref('fct_receipts') }}
),

demographics as (
    select * from {{ ref('stg_demographics') }}
),

campaign_households as (
    select * from {{ ref('stg_campaign_households') }}
),

shoppers as (
    select
        household_id,
        min(sold_on) as first_purchase_on
    from receipts
    group by household_id
),

known as (
    select household_id from shoppers
    union
    select household_id from demographics
    union
    select household_id from campaign_households
),

final as (
    select
        known.household_id,
        coalesce(demographics.age_band, 'Unknown') as age_band,
        coalesce(demographics.income_band, 'Unknown') as income_band,
        coalesce(demographics.home_ownership, 'Unknown') as home_ownership,
        coalesce(demographics.marital_status, 'Unknown') as marital_status,
        coalesce(demographics.household_size, 'Unknown') as household_size,
        coalesce(demographics.household_composition, 'Unknown') as household_composition,
        coalesce(demographics.children, 'Unknown') as children,
        demographics.household_id is not null as has_demographics,
        shoppers.first_purchase_on
    from known
    left join demographics on known.household_id = demographics.household_id
    left join shoppers on known.household_id = shoppers.household_id
)

select * from final
