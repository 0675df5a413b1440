# ruff: noqa: E501
"""A small finished run, made by hand, so that every number on its page is known."""

import hashlib
import json

import numpy as np

BASINS = """\
zone,variable,depth_m,level,class,mean,p10,p90,lo95,hi95,valid_fraction,unit,tier,method,source,notice
lena,maat,,,,-7.3551,-11,-4,-9.042358,-5.450657,1,degC,modelled,area-weighted mean of the input,era5,
lena,annual_precipitation,,,,494.86,321,720,364.99,667.38,1,kg m-2,modelled,area-weighted mean of the input,era5,
lena,magt,,top of permafrost,,-2.0475,-3.5,-0.2,-4.76996,1.790266,1,degC,modelled,modelled from ERA5,era5,
lena,permafrost_probability,,,,0.793914,0.5,0.9,0.212423,0.963558,0.75,1,modelled,modelled from ERA5,era5,
amur,maat,,,,0.472089,-3,4,-1.215168,2.376532,1,degC,modelled,area-weighted mean of the input,era5,
"""
TRANSECT = """\
segment,distance_km,lat,lon,variable,depth_m,class,mean,p10,p90,lo95,hi95,valid_fraction,unit,tier,level,method,source
0,12.6,45.9,126.7,maat,,,4.96,4.8,5.1,3.27,6.87,1,degC,modelled,,area-weighted mean of the input,era5
0,12.6,45.9,126.7,magt,,,6.7,6.5,6.9,4.1,9.2,1,degC,modelled,,modelled from ERA5,era5
1,3000,71.6,128.8,maat,,,-11.7,-12,-11,-13.4,-9.8,1,degC,modelled,,area-weighted mean of the input,era5
1,3000,71.6,128.8,magt,,,-9.7,-10,-9,-11.9,-7.3,1,degC,modelled,,modelled from ERA5,era5
"""
_BUDGET_HEAD = (
    "zone,period_start,period_end,term,species,account,components,depth_top_m,depth_bottom_m,value,lo95,hi95,unit,tier,"
    "valid_fraction,method,source,site,confidence,status,doi,note\n"
)
BUDGET = (
    _BUDGET_HEAD
    + """\
lena,,,drainage_area,,,,,,2500426,,,km2,modelled,1,area of the polygon,MERIT Hydro,,,,,
lena,2000-01-01,2025-12-31,permafrost_area,,,,,,1985124,531148,2409306,km2,modelled,1,modelled from ERA5,era5,,,,,
lena,,,doc_export,C,lateral,doc,,,6.79,,,Tg yr-1,published,,published value,"Juhls et al. (2020), Frontiers",,high,read,10.3389/fenvs.2020.00053,
lena,,,doc_export,C,lateral,doc,,,5.68,4.9,6.5,Tg yr-1,published,,published value,"Holmes et al. (2012), Estuaries",,medium,recalled,10.1007/s12237-011-9386-6,
lena,,,inland_water_evasion,CO2-C,natural,river_evasion,,,8.3,3.4,13.2,Tg yr-1,published,,published value,"Vorobyev et al. (2021), BG",,low,recalled,10.5194/bg-18-4919-2021,
lena,2019,2019,fire_emission,CO2-C,memo,fire,,,56.8,,,Tg yr-1,published,,published value,"CAMS (2020), notice",Sakha,low,computed,,A republic
lena,,,net_biome_exchange,C,memo,nee_ecosystem,,,-86.7,-221.04,66.1,Tg yr-1,scaled,,"NBE = nee + evasion; incomplete: missing fire, lake_ch4",x,,low,computed,,
RU-SA,,,net_ecosystem_exchange,CO2-C,natural,nee_ecosystem,,,-80.5,-192,48,Tg yr-1,scaled,1,flux densities,x,,low,computed,,
segment_000,,,net_ecosystem_exchange,CO2-C,natural,nee_ecosystem,,,-0.05,-0.1,0.02,Tg yr-1,scaled,1,m,x,,low,computed,,
segment_001,,,net_ecosystem_exchange,CO2-C,natural,nee_ecosystem,,,-0.02,-0.1,0.02,Tg yr-1,scaled,1,m,x,,low,computed,,
transect_swath,,,net_ecosystem_exchange,CO2-C,natural,nee_ecosystem,,,-5.25,-12,3,Tg yr-1,scaled,1,m,x,,low,computed,,
"""
)
TRADE = """\
region,partner,sector,year,account,export_tco2,import_tco2,balance_tco2,lo95,hi95,sign_certain,basis,tier,source
RU,CN,metals,2020,embodied_direct,8159000,1246000,6913000,2500000,13400000,True,stated intensities,scaled,GACC
RU,CN,metals,2020,embodied_eebt,13000000,3330000,9670000,-2200000,20200000,False,stated intensities,scaled,GACC
RU,CN,total,2020,embodied_direct,24410000,4903000,19507000,8000000,35000000,True,stated intensities,scaled,GACC
RU,CN,total,2020,embodied_eebt,62440000,45300000,17140000,-26000000,58000000,False,stated intensities,scaled,GACC
RU-SA,CN,total,2020,embodied_direct,500000,290000,210000,-20000,590000,False,proxy:regional_co2_share,proxied,GACC
RU-SA,CN,total,2020,embodied_eebt,900000,710000,190000,-710000,1180000,False,proxy:regional_co2_share,proxied,GACC
RU-_X,CN,total,2020,embodied_eebt,40000000,25000000,15000000,-23000000,52000000,False,proxy:regional_co2_share,proxied,GACC
CN-HL,RU,total,2020,embodied_eebt,1000000,5200000,-4200000,-26200000,17700000,False,proxy:regional_trade_anchor,proxied,GACC
"""


def record(**more):
    return {
        "status": "finished",
        "title": "A small run",
        "finished": "2026-11-22T14:51:45Z",
        "recipe": {
            "transect": {"name": "A to B", "points": [["Harbin", 45.75, 126.65], ["Tiksi", 71.64, 128.87]]},
            "uncertainty": {"draws": 200, "seed": 7, "air_temperature_sd_K": 1.0, "precipitation_cv": 0.15},
            "snow": {"n_factor_method": "by_snow_class"},
        },
        "seed": 7,
        "code": "0.1.0+abc",
        "inputs": {
            "climate": {
                "name": "era5_climatology", "sha256": "b2ffbdca0a8e5c81", "bytes": 2419138, "tier": "modelled",
                "description": "ERA5 climatology", "licence": "CC-BY-4.0", "attribution": "Copernicus",
                "citation": "Hersbach et al. (2020), doi:10.1002/qj.3803", "period": ["2000-01-01", "2025-12-31"],
            }
        },
        "versions": {"python": "3.11.7", "lena-amur-geotools": "0.1.0"},
        "duration_s": {"fields": 2.77},
        "total_duration_s": 46.3,
        "peak_memory_bytes": 420028416,
        "notices": ["basins: ODbL-1.0. See https://opendatacommons.org/licenses/odbl/1-0/."],
        **more,
    }  # fmt: skip


def make(folder, *, trade=False, image_size=(60, 40), **tables):
    """Write a run folder; `tables` replaces the text of one by its name without ending, None leaves it out."""
    from PIL import Image

    (folder / "figures").mkdir(parents=True)
    texts = {
        "basins": BASINS,
        "transect": TRANSECT,
        "budget": BUDGET,
        "trade_balance": TRADE if trade else None,
    }
    outputs = {}
    for name, text in {**texts, **tables}.items():
        if text is not None:
            (folder / f"{name}.csv").write_text(text, encoding="utf-8")
            outputs[f"{name}.csv"] = hashlib.sha256(text.encode()).hexdigest()
    noise = np.random.default_rng(1).integers(0, 255, (image_size[1], image_size[0], 3), dtype="uint8")
    for name in ("basins_map", "transect_profile"):
        Image.fromarray(noise).save(folder / "figures" / f"{name}.png")
    (folder / "run.json").write_text(json.dumps(record(outputs=outputs)), encoding="utf-8")
    return folder
