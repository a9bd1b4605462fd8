{# The grain and `available_at` are the key of a mart. #}
{% test one_row_per_version(model, grain) %}
select {{ grain | join(', ') }}, available_at, count(*) as rows
from {{ model }}
group by all
having count(*) > 1
    {%- for column in grain %} or {{ column }} is null{% endfor %} or available_at is null
{% endtest %}
