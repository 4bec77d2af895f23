select store, city from {{ source('clean', 'stores') }}
