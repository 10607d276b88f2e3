"""How tests use the panels of the server's page in a browser."""

import io

import numpy as np
import PIL.Image


def picture(width=40, height=30):
    noise = np.random.default_rng(1).integers(0, 255, (height, width, 3), dtype=np.uint8)
    file = io.BytesIO()
    PIL.Image.fromarray(noise).save(file, "PNG")
    return file.getvalue()


def choose(tab):
    tab.locator("input[type=file]").set_input_files({"name": "one.png", "mimeType": "image/png", "buffer": picture()})


def opened(page, kind):
    """The panel of a model, whose tab is clicked, with its options unfolded."""
    page.get_by_role("tab", name=kind.replace("_", " "), exact=False).filter(has_text=kind).first.click()
    tab = page.locator("[role=tabpanel]:visible")
    tab.locator(".fold").evaluate_all("all => all.forEach(one => (one.open = true))")
    return tab


def described(page, server, kind, **facts):
    """The panel of a model that the server describes by other facts."""
    models = server.client.get("/api/models").json()
    next(one for one in models["models"] if one["kind"] == kind).update(facts)
    page.route("**/api/models", lambda route: route.fulfill(json=models))
    page.goto(f"{server.address}/#{kind}")
    page.reload()
    return opened(page, kind)


def write(tab, prompt, **options):
    """Write after a prompt, and return when the text is there."""
    tab.locator("[name=prompt]").fill(prompt)
    for name, value in options.items():
        tab.locator(f"[name={name}]").first.fill(str(value))
    tab.get_by_role("button", name="Write").click()
    tab.get_by_text("perplexity").first.wait_for()


def text_of(tab, label):
    return tab.get_by_role("group", name=label, exact=True)


def shows(place, text):
    """Wait until a place has a text."""
    place.filter(has_text=text).wait_for()
    assert place.text_content() == text


def values_of(elements, name):
    """The numbers that a variable of their style has for elements."""
    return [float(one) for one in elements.evaluate_all(f"all => all.map(one => one.style.getPropertyValue('{name}'))")]
