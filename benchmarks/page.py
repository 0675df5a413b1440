"""The page of the benchmarks, written from the measurements."""

from __future__ import annotations

from typing import Any

from benchmarks.machine import figure

# Of times from a store to the time of reading it.
_STORE_RATIOS = {
    "ratio": "zonal means / read",
    "ratio_with_one_more_thread": "with one thread more / read",
    "ratio_of_sum": "`sum` / read",
    "ratio_of_nanmean": "`nanmean` / read",
}
_NAMES = {
    "read": "going through the array once",
    "geotools_reused": "**geotools**, overlap reused",
    "geotools_once": "**geotools**, used once (build and mean)",
    "geotools_build": "geotools, the build alone",
    "geotools_loaded": "**geotools**, saved overlap loaded, and mean",
    "geotools_cached": "**geotools**, overlap from the cache, and mean",
    "exactextract_by_raster": "exactextract, raster-sequential, area weights",
    "exactextract_by_feature": "exactextract, feature-sequential, area weights",
    "xvec_exactextract": "xvec (exactextract), no weights",
    "xvec_rasterize": "xvec (rasterize), whole cells by centre",
    "regionmask_fractions": "regionmask, shares times areas",
    "rasterstats_means": "rasterstats, whole cells by centre",
    "xarray_regrid_conservative": "xarray-regrid, conservative",
    "rasterio_average": "rasterio (GDAL), average",
    "xesmf_conservative": "xESMF, conservative",
}
_TOP = """# Benchmarks

Written by `python -m benchmarks.report OUT_FOLDER` from what it measured; do not edit. The peers come with
`pip install -e .[bench]`; one that is not installed is told as such.

Ratios are the figures to go by: the times are those of one machine, and ratios under 1.5 are ties. Every method
runs in a process of its own on the same arrays, kernels compiled before the clock starts. Memory is that of the whole
process at its peak, and in brackets what the method added to the imports and the input. "Used once" counts building
the overlap and one mean, "reused" the mean alone. The peers have nothing to reuse: both are set against the same time
of theirs.

"""
_LIMITS = """## Limits

* One machine with few cores. The fields are noise on a smooth field with a latitude gradient and compress badly; fields
  that compress better are decoded faster, and the share of the zonal means in the whole grows.
* xvec and rasterstats take no areas as weights, so that they answer another question; the column `difference` says by
  how much. exactextract takes the plain share of the longitude-latitude rectangle for a cell at the edge of a zone,
  which is the difference left there.
* Overlaps of few cells are governed by fixed costs: a mean takes about 2 ms however small the field.
* The truth of the zonal means is the same overlap, written out as a matrix and applied cell by cell. It tests the sums
  and not the shares, which the tests compare with exactextract in the equal-area plane. The truth of regridding between
  longitude-latitude grids is a product of lengths, without any overlap; that of the polar case is the matrix of the
  overlap, so that the difference of geotools says nothing there, while its conservation error does.
* Of the peers here none regrids to polar cells conservatively; GDAL averages cells in the plane of the target.
"""


def page(zonal: dict[str, Any], regrid: dict[str, Any]) -> str:
    """The whole page as Markdown; parts of the zonal means that were not measured are named."""
    parts = [_TOP, _machine(zonal["machine"], zonal["load_average_after"])]
    missing = [part for part in ("in_memory", "from_store", "growth", "conservation") if part not in zonal]
    if missing:
        parts.append(f"Not measured in this run: {', '.join(missing)}.\n\n")
    parts.append(_reached(zonal))
    parts += [_in_memory(kind, found) for kind, found in zonal.get("in_memory", {}).items()]
    if "from_store" in zonal:
        parts.append(_from_store(zonal["from_store"]))
    if "growth" in zonal:
        parts.append(_growth(zonal["growth"], zonal.get("conservation", {})))
    parts.append(_regrid(regrid))
    return "".join(parts) + _LIMITS


def _machine(machine: dict[str, Any], after: list[float]) -> str:
    # The measurement itself keeps all cores busy, so that only the load before it tells of others.
    busy = machine["load_average"][0] > 0.5 * machine["cores"]
    warning = "**The machine was busy with other work: these figures are preliminary.** " if busy else ""
    versions = ", ".join(f"{name} {v}" for name, v in machine["versions"].items() if v)
    return (
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory']} of memory, {machine['system']}, "
        f"Python {machine['python']}. {warning}"
        f"Load average {machine['load_average'][0]:.1f} before and {after[0]:.1f} after. "
        f"{versions}.\n\n"
    )


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines) + "\n"


def _memory(found: dict[str, Any]) -> str:
    return f"{found['peak_mb']:.0f} ({found['added_mb']:.0f})"


def _reached(zonal: dict[str, Any]) -> str:
    """What was asked for, beside what was measured."""
    rows = []
    asked = (
        (
            "reused, times faster than exactextract",
            "exactextract_by_raster/geotools_reused",
            "60, aiming at 100",
        ),
        ("used once, times faster than exactextract", "exactextract_by_raster/geotools_once", "4"),
        ("reused, times the time of reading the array", "geotools_reused/read", "aiming at 3"),
    )
    for kind, found in zonal.get("in_memory", {}).items():
        rows += [
            (f"{kind}: {label}", wanted, figure(found["ratios"].get(key))) for label, key, wanted in asked
        ]
    for layout, store in zonal.get("from_store", {}).items():
        start = f"from Zarr by {layout}"
        if "ratio" in store:
            rows.append((f"{start}, times the time of reading", "1.05", figure(store["ratio"])))
            rows.append(
                (f"{start}, chunk loads", "each once", f"{store['chunk_loads']} of {store['chunks']}")
            )
        memory = [m for m in store["memory"] if "peak_mb" in m]
        lengths = ", ".join(str(m["steps"]) for m in memory)
        peaks = ", ".join(f"{m['peak_mb']:.0f}" for m in memory)
        rows.append((f"{start}, peak memory of {lengths} steps, MB", "flat, below 500", peaks))
    for along, found in zonal.get("growth", {}).items():
        if "mean" in found:
            told = f"{found['mean']['slope']:.2f} ± {found['mean']['standard_error']:.2f}"
            rows.append((f"growth of a mean with {along}, exponent", "1 or less", told))
    if "largest_relative_error" in zonal.get("conservation", {}):
        error = figure(zonal["conservation"]["largest_relative_error"])
        rows.append(("sum over a tiling, relative error", "1e-12", error))
    return "## Asked and measured\n\n" + _table(("what", "asked", "measured"), rows)


def _in_memory(kind: str, found: dict[str, Any]) -> str:
    methods = found["methods"]
    theirs = methods.get("exactextract_by_raster", {}).get("seconds")
    rows = []
    for name, method in methods.items():
        label = _NAMES[name]
        if "seconds" not in method:
            rows.append((label, method.get("skipped") or "failed: " + method["failed"], "", "", "", ""))
            continue
        faster = (
            figure(theirs / method["seconds"]) if theirs and name not in ("read", "geotools_build") else ""
        )
        apart, lost = (method.get("difference_from_truth", {}).get(key) for key in ("largest", "zones_lost"))
        seconds = f"{figure(method['seconds'])} (n = {method['runs']})"
        rows.append(
            (label, seconds, faster, _memory(method), figure(apart), "" if lost is None else str(lost))
        )
    size = f"{found['columns']} x {found['rows']} cells, {found['steps']} steps, {found['zones']} polygons"
    return f"## Zonal means in memory, {kind}: {size}\n\n" + _table(
        (
            "method",
            "median s",
            "times faster than exactextract",
            "peak MB (added)",
            "difference, degC",
            "zones lost",
        ),
        rows,
    )


def _from_store(found: dict[str, Any]) -> str:
    rows = []
    for layout, store in found.items():
        if "ratio" in store:
            rows.append(
                (
                    layout,
                    figure(store["read"]["seconds"]),
                    figure(store["seconds"]),
                    *(figure(store[name]) for name in _STORE_RATIOS),
                    figure(store["first_call_seconds"]),
                    f"{store['chunk_loads']} of {store['chunks']}",
                )
            )
    memory = [
        (layout, str(m["steps"]), f"{m['array_mb']:.0f}", _memory(m), figure(m["seconds"]))
        for layout, store in found.items()
        for m in store["memory"]
        if "peak_mb" in m
    ]
    reading = ", ".join(
        f"{_memory(store['memory_of_reading'])} by {layout}"
        for layout, store in found.items()
        if "peak_mb" in store["memory_of_reading"]
    )
    return (
        "## Zonal means from Zarr v3 with zstd, threads of dask\n\n"
        "`steps` are chunks of one whole step, `tiles` a step cut into 4 x 6, `blocks` six steps cut into 8 x 12,\n"
        "`default` a step cut into 8 x 8, as Zarr cuts this array if it is not told. Reading decodes every chunk and\n"
        "keeps nothing. All are run in turn, and beside the means of all zones the least that can be done with the\n"
        "values once they are read: NumPy's `sum` and `nanmean` of each chunk, with no zones at all. dask takes as\n"
        "many threads as there are cores; while one waits for a chunk its core is idle, so that with one thread more\n"
        "(`dask.config.set(num_workers=...)`) the means take about as long as reading does without it. The first\n"
        "mean also cuts the overlap into the tiles. Decoding takes several times the size of a chunk for each\n"
        "thread, so that chunks of a whole fine step (126 MB) need most of their memory for merely being read.\n\n"
        + _table(
            (
                "chunks",
                "read, s",
                "zonal means, s",
                *_STORE_RATIOS.values(),
                "first means, s",
                "chunk loads",
            ),
            rows,
        )
        + f"Peak memory of a process that does nothing else. Merely reading takes {reading} MB.\n\n"
        + _table(("chunks", "steps", "array, MB", "peak MB (added)", "s"), memory)
    )


def _growth(growth: dict[str, Any], conservation: dict[str, Any]) -> str:
    rows = []
    for along, found in growth.items():
        rows += [
            (along, str(point["size"]), figure(point["mean_seconds"]), figure(point["build_seconds"]))
            for point in found.get("points", ())
        ]
        if "mean" in found:
            fits = [f"{found[n]['slope']:.2f} ± {found[n]['standard_error']:.2f}" for n in ("mean", "build")]
            rows.append((along, "**exponent**", *fits))
    closing = ""
    if "largest_relative_error" in conservation:
        closing = (
            f"Totals of {conservation['polygons']} polygons that tile {conservation['cells']} cells, against the sum\n"
            f"over the cells: largest relative error {figure(conservation['largest_relative_error'])}.\n\n"
        )
    return (
        "## Growth\n\nTime with the number of cells, steps and polygons, the others held; the exponent is the slope\n"
        "in the logarithms with its standard error.\n\n"
        + _table(("along", "size", "mean, s", "build, s"), rows)
        + closing
    )


def _regrid(regrid: dict[str, Any]) -> str:
    titles = {"lonlat": "0.1 to 0.36 degrees", "polar": "0.1 degrees to 25 km polar equal-area cells"}
    out = "## Conservative regridding, 24 steps\n\n"
    for case, title in titles.items():
        rows = []
        for state, found in regrid[case].items():
            for name, method in found["methods"].items():
                if "seconds" not in method:
                    why = method.get("skipped") or "failed: " + method["failed"]
                    if state == "complete":
                        rows.append((_NAMES[name], why, "", "", "", "", ""))
                    continue
                wrong = f"{method['cells_wrongly_nan']}, {method['cells_wrongly_filled']}"
                rows.append(
                    (
                        _NAMES[name].replace(" (build and mean)", ""),
                        state,
                        figure(method["seconds"]),
                        _memory(method),
                        figure(method["conservation_error"]),
                        figure(method["largest_difference_from_truth"]),
                        wrong,
                    )
                )
        head = (
            "method",
            "field",
            "median s",
            "peak MB (added)",
            "conservation error",
            "difference",
            "wrongly NaN, filled",
        )
        out += f"### {title}\n\n" + _table(head, rows)
    return out + (
        "The conservation error is that of the integral over the ellipsoid, each value standing for the valid part of\n"
        "its cell. All methods here normalise by the valid part; the last column counts cells that are NaN although\n"
        "part of them has data, and the other way round.\n\n"
    )
