{# The twelve industries of Fama and French, by the SEC's code: public ranges, the rest is `other`. Null where no code is. #}
{% macro sector_of(sic_code) %}
{%- set ranges = {
    'consumer_nondurables': [(100, 999), (2000, 2399), (2700, 2749), (2770, 2799), (3100, 3199), (3940, 3989)],
    'consumer_durables': [(2500, 2519), (2590, 2599), (3630, 3659), (3710, 3711), (3714, 3714), (3716, 3716),
        (3750, 3751), (3792, 3792), (3900, 3939), (3990, 3999)],
    'manufacturing': [(2520, 2589), (2600, 2699), (2750, 2769), (3000, 3099), (3200, 3569), (3580, 3629), (3700, 3709),
        (3712, 3713), (3715, 3715), (3717, 3749), (3752, 3791), (3793, 3799), (3830, 3839), (3860, 3899)],
    'energy': [(1200, 1399), (2900, 2999)],
    'chemicals': [(2800, 2829), (2840, 2899)],
    'business_equipment': [(3570, 3579), (3660, 3692), (3694, 3699), (3810, 3829), (7370, 7379)],
    'telecom': [(4800, 4899)],
    'utilities': [(4900, 4949)],
    'shops': [(5000, 5999), (7200, 7299), (7600, 7699)],
    'health': [(2830, 2839), (3693, 3693), (3840, 3859), (8000, 8099)],
    'finance': [(6000, 6999)],
} -%}
case
    when {{ sic_code }} is null then null
    {%- for sector, spans in ranges.items() %}
    when {% for first, last in spans -%}
        cast({{ sic_code }} as integer) between {{ first }} and {{ last }}{{ ' or ' if not loop.last }}
    {%- endfor %} then '{{ sector }}'
    {%- endfor %}
    else 'other'
end
{%- endmacro %}
