"""What the page asks of the server, and shows of its answers: late, broken, refused and hostile ones, too."""

import shlex
import threading

from panels import opened, shows, text_of

from seqgen.inference.piece import Candidate, Piece

HOSTILE = "</script><script>document.title = 'taken'</script><img src=x onerror=\"document.title = 'taken'\">"
BREAKS = """window.fetch = async () => new Response(new ReadableStream({
    pull: (stream) => stream.error(new TypeError("network error")) }))"""


def test_stop_stops_the_work(page, bundles, monkeypatch):
    closed = threading.Event()

    def slow(*args, **options):
        try:
            for _ in range(5000):
                closed.wait(0.001)
                yield Piece(5, "a", -1.0, [], None)
        finally:
            closed.set()

    monkeypatch.setattr(bundles["generator"], "pieces", slow)
    tab = opened(page, "generator")
    for stop in (lambda: tab.get_by_role("button", name="Stop").click(), lambda: page.keyboard.press("Escape")):
        closed.clear()
        tab.locator("[name=prompt]").press("Control+Enter")
        text_of(tab, "Text").locator(".token").nth(20).wait_for()
        stop()
        tab.get_by_text("Stopped after").wait_for()
        assert closed.wait(10)
        count = text_of(tab, "Text").locator(".token").count()
        page.evaluate("new Promise(requestAnimationFrame)")
        assert text_of(tab, "Text").locator(".token").count() == count


def test_a_refused_option_is_its_sentence_where_it_was_set(page):
    tab = opened(page, "generator")
    tab.get_by_text("perplexity").wait_for()
    tab.locator("[name=temperature]").first.fill("-1")
    tab.get_by_role("button", name="Write").click()
    tab.get_by_role("alert").filter(has_text="temperature must be").first.wait_for()
    assert len(page.problems) == 1  # Chromium's own words about the status
    page.problems.clear()


def test_a_broken_connection_is_a_sentence(page):
    tab = opened(page, "generator")
    tab.get_by_text("perplexity").wait_for()
    page.evaluate(BREAKS)
    tab.get_by_role("button", name="Write").click()
    tab.get_by_role("alert").filter(has_text="The server does not answer").wait_for()


def test_a_busy_model_is_asked_again_three_times(page):
    tab, asked, answers = opened(page, "tagger"), [], [503, 503]

    def busy(route):
        asked.append(route.request.url)
        if answers and answers.pop():
            route.fulfill(status=503, headers={"Retry-After": "0.01"}, json={"error": "the model is busy"})
        else:
            route.continue_()

    page.route("**/api/tag", busy)
    tab.locator("[name=text]").fill("the cat")
    shows(text_of(tab, "Tagged text"), "the cat")
    assert len(asked) == 3
    answers[:] = [503] * 9
    tab.locator("[name=text]").fill("the dog")
    tab.get_by_role("alert").filter(has_text="the model is busy").wait_for()
    assert len(asked) == 3 + 4
    page.problems.clear()


def test_a_late_answer_replaces_no_newer_one(page):
    tab, held = opened(page, "tagger"), []
    page.route("**/api/tag", lambda route: route.continue_() if held else held.append(route))
    with page.expect_request("**/api/tag"):
        tab.locator("[name=text]").fill("the cat")
    tab.locator("[name=text]").fill("the dog")
    shows(text_of(tab, "Tagged text"), "the dog")
    held[0].fulfill(json={"tokens": [{"text": "late", "tag": "A", "probability": 1.0}], "after": ""})
    page.evaluate("new Promise(requestAnimationFrame)")
    assert text_of(tab, "Tagged text").text_content() == "the dog"


def test_the_shell_line_asks_the_same(page, server):
    tab, text = opened(page, "text_classifier"), 'it\'s "fine" $HOME `x` \\ !\n#'
    tab.locator("[name=text]").fill(text)
    tab.locator(".bar").first.wait_for()
    tab.get_by_text("The same from the shell").click()
    _, _, address, _, header, _, body = shlex.split(tab.locator(".curl pre").text_content())
    name, _, value = header.partition(": ")
    answer = server.client.post(address, headers={name: value}, content=body.encode()).json()
    assert [one["label"] for one in answer["labels"]] == tab.locator(".bar .name").all_text_contents()
    assert "".join(one["text"] for one in answer["influences"]) == text


def test_hostile_texts_are_only_text(page, bundles, monkeypatch):
    def pieces(*args, **options):
        yield Piece(5, HOSTILE, -1.0, [Candidate(5, HOSTILE, -1.0)], "length")

    monkeypatch.setattr(bundles["generator"], "pieces", pieces)
    monkeypatch.setattr(bundles["text_classifier"], "classes", [HOSTILE, "fine", "odd"])
    tab = opened(page, "generator")
    tab.get_by_role("button", name="Write").click()
    tab.locator(".token").filter(has_text=HOSTILE).hover()
    tab.locator(".candidates .name").filter(has_text="onerror").wait_for()
    tab = opened(page, "text_classifier")
    tab.locator("[name=text]").fill(HOSTILE)
    shows(text_of(tab, "Influences"), HOSTILE)
    assert HOSTILE in tab.locator(".bar .name").all_text_contents()
    assert page.locator("img, main script").count() == 0
    assert "taken" not in page.title()
