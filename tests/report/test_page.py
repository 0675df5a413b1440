"""The page says every number with its unit, interval and origin, and needs nothing beside itself."""

import html
import json
import re
import shutil
from html.parser import HTMLParser

import pytest

from geotools import report
from geotools.errors import UsageError
from geotools.report.numbers import THIN, quantity
from tests.report.run_folder import BASINS, BUDGET, TRADE, make


class Page(HTMLParser):
    """Tags with attributes, and the text outside of styles."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.words, self.silent = [], [], False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.silent = tag == "style"

    def handle_endtag(self, tag):
        self.silent = self.silent and tag != "style"

    def handle_data(self, data):
        if not self.silent:
            self.words.append(data)

    @property
    def text(self):
        return re.sub(r"\s+", " ", "".join(self.words).replace(THIN, "_")).replace("_", THIN)

    def ids(self):
        return [a["id"] for _, a in self.tags if "id" in a]


def written(folder):
    path = report.write(folder)
    assert path == folder / "report.html"
    return path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make(tmp_path_factory.mktemp("run") / "with_trade", trade=True)


@pytest.fixture(scope="module")
def source(folder):
    return written(folder)


@pytest.fixture(scope="module")
def page(source):
    return Page(source)


@pytest.mark.parametrize(
    "number",
    [
        "8.3 Tg CO₂-C yr⁻¹ (3.4 to 13.2)",
        "6.79 Tg C yr⁻¹ no interval",
        "5.68 Tg C yr⁻¹ (4.90 to 6.50)",
        "−87 Tg C yr⁻¹ (−221 to 66)",
        "−80 Tg CO₂-C yr⁻¹ (−192 to 48)",
        "−5.2 Tg CO₂-C yr⁻¹ (−12.0 to 3.0)",
        f"2{THIN}500{THIN}000 km² no interval",
        f"1{THIN}990{THIN}000 km² (530{THIN}000 to 2{THIN}410{THIN}000)",
        "79 % (21 to 96)",
        "−7.4 °C (−9.0 to −5.5)",
        "490 mm yr⁻¹ (360 to 670)",
        "−9.7 °C (−11.9 to −7.3)",
        "6.9 (2.5 to 13.4)",
        "17 (−26 to 58)",
        "0.19 (−0.71 to 1.18)",
    ],
)
def test_numbers_have_units_and_intervals(page, number):
    assert number in page.text


def test_origin_and_what_is_missing_are_told(page):
    for words in (
        "A small run", "2026-11-22", "geotools 0.1.0", "Closed budget, computed from the terms below",
        "Missing, and not taken for zero: fire, lake CH₄.", "recalled, to be verified", "data on 75 % of the area",
        "CC-BY-4.0", "b2ffbdca0a8e", "ODbL-1.0", "46.3 s", "420 MB", "Seed 7", "200 draws", "docs/validation.md",
        "Rest of Russia", "Whole swath of the transect", "proxied",
    ):  # fmt: skip
        assert words in page.text, words


def test_order_of_the_sections(page):
    wanted = [
        "answer",
        "terms",
        "maps",
        "transect",
        "trade",
        "origin",
        "inputs",
        "methods",
        "again",
        "limits",
    ]
    assert [i for i in page.ids() if i in wanted] == wanted


def test_alternatives_are_not_added(page):
    assert "12.47" not in page.text  # 6.79 + 5.68
    assert "12.5 Tg" not in page.text


def test_memo_rows_of_a_site_are_not_in_the_budget(source):
    answer = source[source.index('id="answer"') : source.index('id="terms"')]
    assert "56.8" not in answer
    assert "56.8" in source


def test_nothing_is_loaded_from_elsewhere(source, page):
    assert {t for t, _ in page.tags} & {
        "link",
        "script",
        "iframe",
        "object",
        "embed",
        "base",
        "video",
    } == set()
    for tag, attributes in page.tags:
        for name in ("src", "href", "srcset", "action", "data", "poster"):
            value = attributes.get(name)
            if value is None:
                continue
            plain = tag == "a" and value.startswith("https://doi.org/10.")
            assert plain or value.startswith(("#", "data:image/png;base64,")), (tag, value)
    assert not re.search(r"url\(\s*['\"]?(?!#)", source)
    assert "@import" not in source


def test_images_are_inside_and_described(page):
    images = [a for t, a in page.tags if t == "img"]
    assert len(images) == 2
    assert all(a["src"].startswith("data:image/png;base64,") and a["alt"] for a in images)
    charts = [a for t, a in page.tags if t == "svg"]
    assert len(charts) == 4  # terms, along the transect, sectors, regions
    assert all(a["role"] == "img" and a["aria-label"] for a in charts)


def test_page_is_accessible_and_valid_where_it_can_be_told(page):
    assert ("html", {"lang": "en-GB"}) in page.tags
    assert any(t == "meta" and a.get("name") == "viewport" for t, a in page.tags)
    assert all("scope" in a for t, a in page.tags if t == "th")
    ids = page.ids()
    assert len(ids) == len(set(ids))
    inside = [a["href"][1:] for _, a in page.tags if str(a.get("href", "")).startswith("#")]
    assert set(inside) <= set(ids)


def test_same_run_gives_the_same_page(folder, source):
    assert written(folder) == source


def test_no_trade_file_no_trade_section(tmp_path):
    text = written(make(tmp_path / "run"))
    assert 'id="trade"' not in text
    assert "EEBT" not in Page(text).text


def test_only_the_last_year_of_trade_is_shown(tmp_path):
    older = "RU,CN,total,2015,embodied_eebt,1,2,-1,-98765000000,3,False,old,scaled,x\n"
    text = Page(written(make(tmp_path / "run", trade_balance=TRADE + older))).text
    assert "2015 to 2020" in text
    assert f"98{THIN}765" not in text


def test_text_of_files_is_escaped(tmp_path):
    evil = BUDGET.replace('"Juhls et al. (2020), Frontiers"', "<script>alert(1)</script> $x^{ & Sons")
    folder = make(tmp_path / "run", budget=evil, basins=BASINS.replace("lena,", "<b>lena</b>,"))
    record = json.loads((folder / "run.json").read_text())
    record["title"] = "A & B <img src=x onerror=alert(1)>"
    record["notices"] = ['"><a href="http://example.org">x</a>']
    (folder / "run.json").write_text(json.dumps(record))
    text = written(folder)
    assert "<script" not in text
    assert "<img src=x" not in text
    assert "<b>lena</b>" not in text
    assert html.escape("A & B <img src=x onerror=alert(1)>") in text
    assert not any(a.get("href", "").startswith("http://") for _, a in Page(text).tags)


def test_a_doi_that_is_none_is_no_link(tmp_path):
    text = written(
        make(tmp_path / "run", budget=BUDGET.replace("10.3389/fenvs.2020.00053", "javascript:alert(1)"))
    )
    assert "javascript:" not in "".join(str(a.get("href", "")) for _, a in Page(text).tags)


def test_brackets_around_a_doi_are_not_part_of_it(tmp_path):
    text = written(
        make(tmp_path / "run", trade_balance=TRADE.replace("GACC", "Timmer (doi:10.1111/roie.12178)"))
    )
    assert '(<a href="https://doi.org/10.1111/roie.12178">doi:10.1111/roie.12178</a>)' in text


def test_marked_rows_stand_for_the_others(tmp_path):
    marked = BUDGET.replace("high,read,10.3389", "high,chosen,10.3389")
    text = written(make(tmp_path / "run", budget=marked))
    answer = text[text.index('id="answer"') : text.index('id="terms"')]
    assert "6.79" in answer
    assert "5.68" not in answer
    assert "1 more rows of these terms" in answer


def test_large_figures_are_made_smaller(tmp_path):
    path = report.write(make(tmp_path / "run", trade=True, image_size=(1900, 1200)))
    assert path.stat().st_size < 3_000_000


def test_missing_tables_are_named(tmp_path):
    text = Page(written(make(tmp_path / "run", transect=None, budget=None))).text
    assert "The run has no transect.csv, no budget.csv" in text
    assert "−7.4 °C" in text


def test_missing_folder_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"there is no such folder.*geotools run --out"):
        report.write(tmp_path / "nowhere")


@pytest.mark.parametrize("status", ["running", None])
def test_unfinished_run_is_refused(tmp_path, status):
    folder = make(tmp_path / "run")
    if status is None:
        (folder / "run.json").unlink()
    else:
        (folder / "run.json").write_text(json.dumps({"status": status}))
    with pytest.raises(UsageError, match=r"the run in .* is not finished.*goes on where it stopped"):
        report.write(folder)
    assert not (folder / "report.html").exists()


def test_broken_record_is_refused(tmp_path):
    folder = make(tmp_path / "run")
    (folder / "run.json").write_text('{"status": "fin')
    with pytest.raises(UsageError, match=r"run\.json cannot be read"):
        report.write(folder)


def test_table_cut_between_rows_is_refused_by_its_hash(tmp_path):
    folder = make(tmp_path / "run")
    (folder / "report.html").write_text("an older page")
    whole = (folder / "budget.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    (folder / "budget.csv").write_text("".join(whole[:-2]), encoding="utf-8")
    with pytest.raises(
        UsageError, match=r"budget\.csv: the table is not as the run wrote it: it was cut or changed"
    ):
        report.write(folder)
    assert (folder / "report.html").read_text() == "an older page"
    assert not list(folder.glob("*part*"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (BASINS[:-5], "its last line has no end"),
        ("", "its last line has no end"),
        (BASINS + "lena,maat\n", "row 7 has 2 fields"),
        (BASINS.replace("-7.3551", "cold"), "row 2 has 'cold' in column mean"),
        (BASINS.replace("lo95", "low"), "has no column lo95"),
    ],
)
def test_table_that_is_not_whole_is_refused(tmp_path, text, message):
    with pytest.raises(UsageError, match=message):
        report.write(make(tmp_path / "run", basins=text))


def test_figure_cut_off_is_refused(tmp_path):
    folder = make(tmp_path / "run")
    path = folder / "figures" / "basins_map.png"
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(UsageError, match=r"the figure cannot be read"):
        report.write(folder)


def test_failed_writing_leaves_no_part(tmp_path, monkeypatch):
    folder = make(tmp_path / "run")
    monkeypatch.setattr("geotools.report.page.os.replace", lambda *_: (_ for _ in ()).throw(OSError("full")))
    with pytest.raises(OSError, match="full"):
        report.write(folder)
    assert not list(folder.glob("*report*"))
    assert not list(folder.glob(".report*"))


def test_page_can_be_moved(folder, source, tmp_path):
    shutil.copy(folder / "report.html", tmp_path / "elsewhere.html")
    assert (tmp_path / "elsewhere.html").read_text(encoding="utf-8") == source


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ((-7.3551, -9.042, -5.451, "degC"), "−7.4 °C (−9.0 to −5.5)"),
        ((323.392, None, None, "km3 yr-1"), "323.4 km³ yr⁻¹"),
        ((5.5, 5.0, 6.0, "Tg yr-1"), "5.5 Tg yr⁻¹ (5.0 to 6.0)"),
        ((-4.8, -13.3, -0.04, "Mt"), "−4.8 Mt (−13.3 to −0.04)"),
        ((0.0, 0.0, 0.0, "m"), "0 m (0 to 0)"),
        ((0.0003, -2.0, 2.0, "m"), "0.0003 m (−2.0 to 2.0)"),
        ((float("nan"), None, None, "m"), "no value"),
        ((12345.6, None, None, "m"), f"12{THIN}350 m"),
        ((1234.5, None, None, "m"), "1234 m"),
    ],
)
def test_rounding(given, said):
    value, low, high, unit = given
    bounds = [float("nan") if b is None else b for b in (low, high)]
    assert str(quantity(value, *bounds, unit=unit)) == said


TOWN_GROUND = (
    "name,lat,reason,climate_1,climate_2,pile,tier,method,strength,references,ground_temperature_depth_m,"
    "ground_temperature_1_degC,ground_temperature_2_degC,active_layer_1_m,active_layer_2_m,bearing_capacity_1_kN,"
    "bearing_capacity_change_percent\n"
    'Yakutsk,62.03,,ERA5,ERA5 +1 K (a sensitivity),"square pile, 0.35 m",modelled,modelled from test,recalled,'
    "doi:10.1657/1938-4246-44.3.368,10,-1.26,-0.41,1.33,1.52,1123.4,-34.6\n"
    "Chita,52.03,lost,ERA5,x,p,modelled,m,s,r,10,-0.5,0.6,1.9,,520,-100\n"
    "Harbin,45.75,none in balance,ERA5,x,p,modelled,m,s,r,10,8.4,9.3,,,0,\n"
)


def test_the_ground_under_towns_is_told_with_its_climates_origin_and_gaps(tmp_path):
    source = written(make(tmp_path / "run", town_ground=TOWN_GROUND))
    text = Page(source).text
    part = text[text.index("First climate:") :]
    for words in (
        "ERA5 +1 K (a sensitivity)",
        "Yakutsk",
        "−1.3",
        "1120",
        "−35",
        "recalled",
        "none in balance: 1",
        "10 m",
    ):
        assert words in part, words
    assert "Harbin" not in part[: part.index("Further towns")]
    assert 'href="https://doi.org/10.1657/1938-4246-44.3.368"' in source


def test_a_run_without_towns_has_no_such_section(source):
    assert 'id="ground"' not in source


def test_the_cross_section_stands_with_the_transect(tmp_path):
    from PIL import Image

    folder = make(tmp_path / "run")
    Image.new("RGB", (60, 40)).save(folder / "figures" / "cross_section.png")
    source = written(folder)
    along = source[source.index('id="transect"') :]
    assert "Ground temperature over depth and latitude" in along
