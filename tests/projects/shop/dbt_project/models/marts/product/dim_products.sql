select product_id, name as product_name, department from {{ source('clean', 'products') }}
