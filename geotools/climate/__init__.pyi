from .calendar import month_lengths
from .daily_degree_days import daily_degree_days
from .degree_days import degree_days, degree_days_sinusoid
from .disaggregation import daily_from_monthly
from .gaps import fill_daily_gaps
from .scenario import apply_change, linear_ramp
from .seasonal import annual_mean, annual_sum, monthly_extremes
from .snow import snow_from_monthly
from .snow_class import snow_density, tundra_snow_share
from .weather import add_weather
from .years import daily_years, repeat_days

__all__ = [
    "add_weather",
    "annual_mean",
    "annual_sum",
    "apply_change",
    "daily_degree_days",
    "daily_from_monthly",
    "daily_years",
    "degree_days",
    "degree_days_sinusoid",
    "fill_daily_gaps",
    "linear_ramp",
    "month_lengths",
    "monthly_extremes",
    "repeat_days",
    "snow_density",
    "snow_from_monthly",
    "tundra_snow_share",
]
