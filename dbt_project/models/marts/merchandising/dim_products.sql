with products as (
    select * from {{ ref('stg_products') }}
),

filled as (
    select
        product_id,
        manufacturer_id,
        coalesce(department, 'Unknown') as department,
        coalesce(brand, 'Unknown') as brand,
        coalesce(product_category, 'Unknown') as product_category,
        coalesce(product_type, 'Unknown') as product_type,
        coalesce(package_size, 'Unknown') as package_size
    from products
),

final as (
    select
        product_id,
        manufacturer_id,
        department,
        brand,
        product_category,
        product_type,
        package_size,
        brand = 'Private' as is_private_label,
        (department = 'FUEL' or product_type like 'GASOLINE%') as is_fuel
    from filled
)

select * from final
