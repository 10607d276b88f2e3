"""The page of cells holds the text and the values exactly, whatever the text, and colours it by any cell."""

import base64
import json
import re

import numpy as np
import pytest
from making import make_generator

from seqgen.figures.cells import MOST_CELLS, MOST_TOKENS, cells_data, cells_page
from seqgen.inference.activations import TextActivations
from seqgen.metrics.followed import followed_properties
from seqgen.metrics.text_properties import text_properties

HOSTILE = "</script><img src=x onerror=alert(1)>\n<!-- \\u003c & \"'\u2028日🙂\t(a [b])\n"


SHORT = HOSTILE * 6  # for a browser, which takes longer for each token


def read_noise(text=HOSTILE * 40, layers=2, cells=100, scale=1.0):
    shape = (layers, len(text), cells)
    h = np.random.default_rng(1).uniform(-scale, scale, shape).astype(np.float32)
    return TextActivations(list(text), h, None, {})


def parts_of(read):
    properties = text_properties(read.tokens)
    return read, properties, followed_properties(read.tokens, read.cells, properties)


def in_page(page):
    """The data as the script of the page has it."""
    [found] = re.findall(r"^const data = (.*);$", page, flags=re.MULTILINE)
    return json.loads(found)


def numbers(text):
    return np.frombuffer(base64.b64decode(text), np.int8) / 127


@pytest.mark.parametrize("scale", [0.5, 3.0])
def test_the_page_holds_the_text_and_the_values(scale):
    read, properties, followed = parts_of(read_noise(scale=scale))
    data = in_page(cells_page("Cells", "A text.", read, properties, followed))
    assert data == json.loads(json.dumps(cells_data(read, properties, followed)))
    assert "".join(data["tokens"]) == (HOSTILE * 40)[:MOST_TOKENS]
    assert len(data["cells"]) == MOST_CELLS
    values = numbers(data["values"]).reshape(MOST_CELLS, MOST_TOKENS) * data["scale"]
    for one, row in zip(data["cells"], values, strict=True):
        assert np.abs(row - read.cells[one["layer"], :MOST_TOKENS, one["cell"]]).max() <= data["scale"] / 254 + 1e-6
    by_name = {one.name: one.values[:MOST_TOKENS] for one in properties}
    assert [row["property"] for row in data["properties"]] == [row.property for row in followed]
    for row in data["properties"]:
        cell = data["cells"][row["place"]]
        assert (cell["layer"], cell["cell"]) == (row["layer"], row["cell"])
        assert cell["follows"]
        marks = by_name[row["property"]]
        assert np.abs(numbers(row["marks"]) * max(1, marks.max()) - marks).max() <= max(1, marks.max()) / 254 + 1e-6


def test_it_has_as_many_cells_as_there_are():
    read = read_noise(layers=1, cells=3)
    assert len(cells_data(*parts_of(read))["cells"]) == 3
    data = cells_data(read, [], [])
    assert (len(data["cells"]), data["properties"]) == (3, [])
    assert "too little" in cells_page("Cells", "", read, [], [])


def test_a_page_of_usual_size_is_small():
    assert len(cells_page("Cells", "", *parts_of(read_noise())).encode()) < 330_000


@pytest.fixture
def opened(tmp_path, browser_page):
    browser_page.on("dialog", lambda dialog: browser_page.problems.append(dialog.message))

    def of(read):
        path = tmp_path / "cells.html"
        path.write_text(cells_page("<b>Cells</b>", "<i>A text</i>", *parts_of(read)), encoding="utf-8")
        browser_page.goto(path.as_uri())
        return browser_page

    return of


def colours(page):
    return page.eval_on_selector_all("#text span", "spans => spans.map(span => getComputedStyle(span).backgroundColor)")


def test_a_hostile_text_is_shown_as_it_is(opened):
    page = opened(read_noise(SHORT))
    assert page.locator("#text").evaluate("place => place.textContent") == SHORT
    assert page.locator("h1").text_content() == "<b>Cells</b>"
    assert page.locator("img, i").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert not page.problems


def test_stepping_through_cells_colours_the_text_by_each(opened):
    read = read_noise(SHORT)
    page, data = opened(read), cells_data(*parts_of(read))
    place = data["properties"][0]["place"]
    values = numbers(data["values"]).reshape(MOST_CELLS, len(SHORT))

    def must_show(place):
        assert page.locator("#number").input_value() == page.locator("#slider").input_value() == str(place + 1)
        assert page.locator("#list").input_value() == str(place)
        for colour, value in zip(colours(page), values[place], strict=True):
            red, _, blue, *alpha = map(float, re.findall(r"[\d.]+", colour))
            assert (blue > red) == (value < 0) or abs(value) < 0.01
            assert (alpha or [1])[0] == pytest.approx(abs(value), abs=0.01)

    must_show(place)
    page.keyboard.press("ArrowRight")
    must_show(place + 1)
    page.keyboard.press("ArrowLeft")
    page.locator("#after").click()
    page.locator("#after").click()
    must_show(place + 2)
    page.locator("#number").fill("100")
    page.locator("#number").press("Enter")
    must_show(99)
    page.locator("#list").select_option("5")
    must_show(5)
    page.locator("#slider").press("Home")
    must_show(0)
    page.locator("#before").click()
    must_show(0)  # there is none before
    page.locator("#text span").nth(7).hover()
    shown = values[0, 7] * data["scale"]
    assert page.locator("#value").text_content() == f'"{HOSTILE[7]}" {shown:.2f}'
    assert not page.problems


def test_a_row_selects_its_cell_and_underlines_its_property(opened):
    read = read_noise(SHORT)
    page, data = opened(read), cells_data(*parts_of(read))
    rows = page.locator("tbody button")
    assert rows.all_text_contents() == [row["property"] for row in data["properties"]]
    number = next(place for place, row in enumerate(data["properties"]) if row["property"] == "in brackets")
    rows.nth(number).press("Enter")
    row = data["properties"][number]
    assert page.locator("#list").input_value() == str(row["place"])
    assert "in brackets" in page.locator("#shown").text_content()
    shadows = "spans => spans.map(span => span.style.boxShadow !== '')"
    underlined = page.eval_on_selector_all("#text span", shadows)
    assert underlined == (numbers(row["marks"]) > 0).tolist()
    assert any(underlined)
    rows.nth(number).click()
    assert not any(page.eval_on_selector_all("#text span", shadows))
    assert not page.problems


def test_a_generator_s_page_opens(opened, cell):
    page = opened(make_generator(cell=cell).activations("the cat sat on the mat.\n" * 20))
    assert page.locator("#list option").count() == 16
    assert not page.problems
