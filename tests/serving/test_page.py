"""The page in a real browser: what it shows is what the library does."""

import base64

import numpy as np
import pytest
from making import MADE, TEXT
from panels import choose, described, opened, picture, shows, text_of, values_of, write

WRITING = {"temperature": 0.8, "seed": 3, "max_new_tokens": 40}
CONTROLS = "button:enabled:not([role=tab]), input:not([type=range]), select, textarea, summary, [tabindex='0']"


def test_the_page_is_one_request_of_at_most_60_kilobytes(server, page):
    assert len(server.client.get("/").content) <= 60_000
    page.get_by_text("perplexity").wait_for()
    assert [url.removeprefix(server.address) for url in page.addresses] == ["/", "/api/models", "/api/generate"]


def test_a_generator_writes_what_the_library_writes(page, bundles):
    tab = opened(page, "generator")
    write(tab, "the c", **WRITING)
    assert text_of(tab, "Text").text_content() == bundles["generator"].generate("the c", **WRITING)[0]
    pieces = list(bundles["generator"].pieces("the c", **WRITING))
    logs = np.array([piece.log_probability for piece in pieces])
    shown = values_of(text_of(tab, "Text").locator(".token"), "--strength")
    assert np.allclose(shown, np.minimum(1, logs / np.log(0.01)), atol=0.001)


def test_two_temperatures_write_with_the_same_seed(page, bundles):
    tab = opened(page, "generator")
    with page.expect_request(lambda request: '"temperature":0.5' in (request.post_data or "")):
        tab.get_by_label("Two temperatures").check()
    tab.get_by_role("spinbutton", name="Second temperature").fill("0.3")
    write(tab, "the c", **WRITING)
    tab.get_by_text("temperature 0.3, random seed 3").wait_for()
    for label, temperature in (("Text", 0.8), ("Text of the second temperature", 0.3)):
        expected = bundles["generator"].generate("the c", **WRITING | {"temperature": temperature})
        shows(text_of(tab, label), expected[0])
        assert tab.get_by_role("heading", name=f"Temperature {temperature}").is_visible()


def test_what_is_unseen_is_replaced_and_an_empty_field_is_the_models_own_value(page, bundles):
    tab = opened(page, "generator")
    write(tab, "the ☃ c", **WRITING | {"temperature": "", "max_new_tokens": ""})
    own = bundles["generator"].generation
    tab.get_by_text(f"{own.max_new_tokens} characters").or_(tab.get_by_text("ended by itself")).wait_for()
    expected = bundles["generator"].generate("the ☃ c", unseen="replace", seed=3)
    assert text_of(tab, "Text").text_content() == expected[0]
    tab.get_by_text("What the cells").click()
    shows(text_of(tab, "Text by cell"), expected[0].replace("☃", "�"))


def test_a_candidate_is_taken_and_gone_on_from(page, bundles):
    tab = opened(page, "generator")
    write(tab, "the c", **WRITING)
    pieces = list(bundles["generator"].pieces("the c", **WRITING))
    other = next(one for one in pieces[6].candidates if one.text and one.text != pieces[6].text)
    text_of(tab, "Text").locator(".token").nth(6).hover()
    candidates = tab.locator(".candidates button")
    shares = np.exp([one.log_probability for one in pieces[6].candidates])
    assert np.allclose(values_of(candidates, "--share"), shares)
    candidates.nth(pieces[6].candidates.index(other)).click()
    before = "the c" + "".join(piece.text for piece in pieces[:6]) + other.text
    shows(text_of(tab, "Text"), bundles["generator"].generate(before, **WRITING)[0])


def test_cells_are_stepped_through(page, bundles):
    tab = opened(page, "generator")
    tab.get_by_text("What the cells").click()
    tab.locator("[name=cells_text]").fill(TEXT[:200])
    tab.get_by_role("button", name="Show the cells").click()
    text = text_of(tab, "Text by cell")
    shows(text, TEXT[:200])
    before = values_of(text.locator(".token"), "--strength")
    tab.get_by_role("button", name="Next cell").press("ArrowRight")
    assert values_of(text.locator(".token"), "--strength") != before
    columns = [tab.locator(f"tbody td:nth-child({one})").all_text_contents() for one in (3, 4)]
    assert all(float(auc) >= float(chance) for auc, chance in zip(*columns, strict=True))
    heights = tab.locator(".wide th").evaluate_all("all => all.map(one => one.offsetHeight)")
    assert max(heights) < 40  # each is one line
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    row = tab.locator("tbody tr").last
    row.click()
    assert row.locator("td").last.text_content() in tab.locator(".cell-name").text_content()


def test_a_text_is_classified_while_one_types(page, bundles):
    tab = opened(page, "text_classifier")
    tab.locator("[name=text]").press_sequentially("fine dull film")
    shows(text_of(tab, "Influences"), "fine dull film")
    expected = bundles["text_classifier"].classify("fine dull film", top_k=3)[0]
    assert tab.locator(".bar .name").all_text_contents() == [one.label for one in expected]


def test_an_image_is_classified(page, bundles):
    tab = opened(page, "image_classifier")
    choose(tab)
    tab.locator(".bar").first.wait_for()
    expected = bundles["image_classifier"].classify(picture(), top_k=3)[0]
    assert tab.locator(".bar .name").all_text_contents() == [one.label for one in expected]


def test_a_text_is_tagged(page, bundles):
    tab = opened(page, "tagger")
    tab.locator("[name=text]").fill("the cat  sat on\nthe mat.")
    shows(text_of(tab, "Tagged text"), "the cat  sat on\nthe mat.")
    [expected] = bundles["tagger"].tag(["the cat  sat on\nthe mat."])
    tab.locator(".text .tag").first.hover()
    assert tab.get_by_text(f"{expected[0].token}: {expected[0].tag}, ").is_visible()
    assert set(tab.locator(".legend li").all_text_contents()) == {one.tag for one in expected}


def test_a_sentence_is_translated_and_attention_lights_up(page, bundles):
    tab = opened(page, "translator")
    tab.locator("[name=text]").fill("the cat")
    tab.locator(".hypotheses button").first.wait_for()
    expected = bundles["translator"].translate("the cat", num_return_sequences=3, return_attention=True)
    assert tab.locator(".hypotheses button span:first-child").all_text_contents() == [one.text for one in expected]
    tab.locator(".hypotheses button").nth(1).click()
    text_of(tab, "Target").locator(".token").first.hover()
    lit = values_of(text_of(tab, "Source").locator(".token"), "--strength")
    assert np.allclose(lit, expected[1].attention.weights[0], atol=0.002)
    assert tab.locator("tr.lit").count() == 1


def test_a_picture_is_captioned_and_a_word_lays_its_heat_over_it(page, bundles):
    tab = opened(page, "captioner")
    choose(tab)
    tab.locator(".hypotheses button").first.wait_for()
    expected = bundles["captioner"].caption(picture(), num_return_sequences=3)
    assert tab.locator(".hypotheses button span:first-child").all_text_contents() == [one.text for one in expected]
    drawn = [tab.locator(".heat").evaluate("one => one.toDataURL()")]
    for place in (0, 1):
        text_of(tab, "Caption").locator(".token").nth(place).hover()
        drawn.append(tab.locator(".heat").evaluate("one => one.toDataURL()"))
    assert len(set(drawn)) == 3


def test_texts_are_written_for_a_category(page, bundles):
    tab = opened(page, "conditional_generator")
    tab.locator("[name=seed]").fill("5")
    tab.locator("[name=condition]").select_option("dog")
    tab.get_by_text("Random seed 5;").wait_for()
    expected = bundles["conditional_generator"].generate("dog", num_return_sequences=8, seed=5)
    assert tab.locator(".names li span:first-child").all_text_contents() == expected


@pytest.mark.parametrize("facts", [{"conditions": None, "numbers": 2}, {"conditions": [*"abcdefghijklmnop"]}])
def test_numbers_and_many_categories_have_fields(page, server, facts):
    page.route("**/api/generate", lambda route: route.fulfill(json={"texts": [{"text": "written", "score": -1.0}]}))
    described(page, server, "conditional_generator", **facts)
    numbers = facts["conditions"] is None
    for label, value in {"Number 1": "0.5", "Number 2": "-2"}.items() if numbers else [("Category (16", "k")]:
        page.get_by_label(label).fill(value)
    condition = [0.5, -2] if numbers else "k"
    # Fields ask by themselves a moment after they change, so that an earlier request may still be on its way.
    with page.expect_request(lambda one: one.method == "POST" and one.post_data_json["condition"] == condition):
        page.get_by_role("button", name="Write").click()


def test_examples_fill_the_field_the_first_at_once(page, server):
    tab = described(page, server, "tagger", examples=["the cat", "the dog " * 9])
    shows(text_of(tab, "Tagged text"), "the cat")
    tab.get_by_role("button", name="the dog the dog the dog the do…").click()
    shows(text_of(tab, "Tagged text"), "the dog " * 9)
    images = [f"data:image/png;base64,{base64.b64encode(picture(*size)).decode()}" for size in ((40, 30), (50, 50))]
    asked = []
    page.on("request", lambda request: "/api/caption" in request.url and asked.append(request.post_data_buffer))
    tab = described(page, server, "captioner", examples=images)
    tab.locator(".hypotheses button").first.wait_for()
    tab.get_by_role("button", name="Example 2").click()
    tab.locator(".hypotheses button").first.wait_for()
    assert asked == [picture(), picture(50, 50)]


def test_on_a_telephone_the_text_is_on_the_first_screen(page):
    page.get_by_text("perplexity").wait_for()
    assert not page.get_by_label("Top-k").is_visible()
    assert text_of(page, "Text").bounding_box()["y"] < 500
    page.get_by_text("Options", exact=True).click()
    assert page.get_by_label("Top-k").is_visible()


def test_the_keyboard_alone_reaches_everything(page, bundles):
    page.get_by_text("perplexity").wait_for()
    page.keyboard.press("Tab")
    for kind in [*list(MADE)[1:], "generator"]:
        page.keyboard.press("ArrowRight")
        assert page.locator("[role=tab]:focus span").text_content() == kind
        assert page.locator("[role=tabpanel]:visible").get_attribute("aria-labelledby") == page.evaluate(
            "document.activeElement.id"
        )
    page.locator("details").evaluate_all("all => all.forEach(one => (one.open = true))")
    while not page.evaluate("document.activeElement.reached"):
        page.evaluate("document.activeElement.reached = true")
        page.keyboard.press("Tab")
    missed = "all => all.filter(one => one.checkVisibility() && !one.reached).map(one => one.outerHTML)"
    assert page.locator(CONTROLS).evaluate_all(missed) == []
    first = text_of(page, "Text").locator(".token").first
    first.focus()
    page.keyboard.press("Tab")
    assert page.locator(".candidates :focus").count() == 1
    first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    taken = page.locator(".candidates :focus .name").text_content().replace("␣", " ").replace("↵", "\n")
    page.keyboard.press("Enter")
    page.locator(".taken").wait_for()
    assert page.locator(".taken").text_content() == taken


def test_tabs_keep_their_state_and_nothing_scrolls_sideways(page, server):
    page.goto(f"{server.address}/#translator")
    page.get_by_role("tab", selected=True).filter(has_text="translator").wait_for()
    for kind in MADE:
        tab = opened(page, kind)
        assert page.url == f"{server.address}/#{kind}"
        if tab.locator("[name=text]").count():
            tab.locator("[name=text]").fill("the cat sat " * 5 + "x" * 80)
        elif tab.locator("input[type=file]").count():
            choose(tab)
        tab.locator(".curl summary").click()
        tab.locator(".text .token, .bar, .names li").first.wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert opened(page, "translator").locator("[name=text]").input_value().startswith("the cat")
