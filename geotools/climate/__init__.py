"""Degree-days, snow and seasonal statistics from monthly climate; no files, no permafrost."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "calendar": ["month_lengths"],
        "degree_days": ["degree_days", "degree_days_sinusoid"],
        "seasonal": ["annual_mean", "annual_sum", "monthly_extremes"],
        "snow": ["snow_from_monthly"],
    },
)
