select id, day, email from {{ ref('raw_orders') }} where id is not null
