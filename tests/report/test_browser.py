"""The page in a real browser: no error, no request, figures there, nothing wider than a phone."""

import json
import shutil

import pytest

from geotools import report
from tests.report.run_folder import make

CHROMIUM, DRIVER = "/usr/bin/chromium", "/usr/bin/chromedriver"
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--allow-file-access-from-files",
)  # fmt: skip

webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
pytestmark = pytest.mark.skipif(
    not (shutil.which(CHROMIUM) and shutil.which(DRIVER)), reason=f"no {CHROMIUM} with {DRIVER}"
)


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    return report.write(make(tmp_path_factory.mktemp("run") / "run", trade=True, image_size=(900, 600)))


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.chrome.service import Service

    options = Options()
    options.binary_location = CHROMIUM
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    yield driver
    driver.quit()


def opened(browser, page, width):
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": width < 600},
    )
    browser.get_log("performance")
    browser.get_log("browser")
    browser.get(page.as_uri())


def test_no_error_and_no_request(browser, page):
    opened(browser, page, 1280)
    assert browser.get_log("browser") == []
    entries = browser.execute_script("return performance.getEntriesByType('resource').map(e => e.name)")
    assert [e for e in entries if not e.startswith("data:")] == []
    messages = [json.loads(e["message"])["message"] for e in browser.get_log("performance")]
    asked = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
    assert page.as_uri() in asked
    assert {u for u in asked if not u.startswith("data:")} == {page.as_uri()}


def test_figures_are_there(browser, page):
    opened(browser, page, 1280)
    images = browser.execute_script(
        "return [...document.images].map(i => [i.complete, i.naturalWidth, i.getBoundingClientRect().width])"
    )
    assert len(images) == 2
    assert all(complete and natural > 0 and shown > 200 for complete, natural, shown in images)
    charts = browser.execute_script(
        "return [...document.querySelectorAll('svg')].map(s => [s.getBBox().width, s.getBoundingClientRect().height])"
    )
    assert len(charts) == 4
    assert all(width > 100 and height > 100 for width, height in charts)


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
def test_nothing_overflows(browser, page, width):
    opened(browser, page, width)
    inner, scroll = browser.execute_script("return [window.innerWidth, document.documentElement.scrollWidth]")
    assert inner == width
    assert scroll <= width


def test_letters_are_large_enough_on_a_phone(browser, page):
    opened(browser, page, 390)
    size = "return parseFloat(getComputedStyle(document.querySelector(arguments[0])).fontSize)"
    sizes = [browser.execute_script(size, name) for name in ("body", "td", ".origin", ".tier")]
    assert sizes[0] == 16
    assert min(sizes) >= 12


def test_links_lead_somewhere(browser, page):
    opened(browser, page, 1280)
    lost = browser.execute_script(
        "return [...document.querySelectorAll('a[href^=\"#\"]')].filter(a => !document.querySelector(a.hash)).length"
    )
    assert lost == 0


def test_prints(browser, page):
    opened(browser, page, 1280)
    printed = browser.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True})
    assert len(printed["data"]) > 10_000
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    assert browser.execute_script("return getComputedStyle(document.querySelector('nav')).display") == "none"
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
