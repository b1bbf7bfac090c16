select day, count(*) as orders from {{ ref('orders') }} group by day
