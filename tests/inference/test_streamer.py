"""Streamers: those of `transformers`, and what every streamer is handed."""

import threading

import pytest
import torch
from making import TEXT, make_captioner, make_conditional_generator, make_generator, make_translator

from seqgen.errors import InputError
from seqgen.symbols import BOS, EOS
from seqgen.text.tokenizer import KINDS, fit_tokenizer


class Recorder:
    """A streamer that keeps what it was handed."""

    def __init__(self):
        self.values, self.ends = [], 0

    def put(self, value):
        assert not self.ends
        assert value.dtype == torch.long
        self.values.append(value.tolist())

    def end(self):
        self.ends += 1


@pytest.mark.parametrize(
    "options", [{"seed": 1}, {"do_sample": False}, {"seed": 1, "stop_strings": ["a"]}, {"seed": 4}]
)
def test_a_streamer_gets_the_prompt_and_then_each_token(options):
    generator, recorder = make_generator(ends=True), Recorder()
    [text] = generator.generate("the ", max_new_tokens=30, streamer=recorder, **options)
    assert [text] == generator.generate(["the "], max_new_tokens=30, **options)
    prompt, *new = recorder.values
    assert prompt == [[BOS, *generator.tokenizer.encode("the ").tolist()]]
    pieces = [piece.token for piece in generator.pieces("the ", max_new_tokens=30, **options)]
    assert new == [[token] for token in pieces]
    assert recorder.ends == 1


@pytest.mark.parametrize("options", [{"num_beams": 1, "do_sample": False}, {"do_sample": True, "seed": 2}])
@pytest.mark.parametrize("make", [make_translator, make_captioner, make_conditional_generator])
def test_models_with_an_encoder_have_them_too(make, options):
    model, recorder = make(), Recorder()
    picture = torch.rand(32, 32, 3).mul(255).byte().numpy()
    use, given = {
        "translator": ("translate", "the cat"),
        "captioner": ("caption", picture),
        "conditional_generator": ("generate", "cat"),
    }[model.builder]
    beginning = model.target.decode([7, 8])
    options = options | ({"prompt": beginning} if use == "generate" else {"prefix": beginning})
    [expected] = getattr(model, use)(given, **options)
    [found] = getattr(model, use)(given, streamer=recorder, **options)
    assert found == expected
    [prompt], *new = recorder.values
    tokens = [token for [token] in new]
    assert prompt[0] == BOS
    assert EOS not in tokens[:-1]
    assert model.target.decode([*prompt, *tokens]) == (found if isinstance(found, str) else found.text)
    assert recorder.ends == 1


def test_several_texts_or_beams_are_a_sentence_after_which_the_stream_has_ended():
    for make, use in ((make_generator, "generate"), (make_translator, "translate")):
        for texts, options in ((["a", "b"], {"num_beams": 1}), ("a", {"num_beams": 3})):
            recorder = Recorder()
            with pytest.raises(InputError, match=r"must be|must have one text"):
                getattr(make(), use)(texts, streamer=recorder, **options)
            assert (recorder.values, recorder.ends) == ([], 1)
    with pytest.raises(InputError, match="streamer must be a Streamer, an object with end and put"):
        make_generator().generate("the", streamer=print)


def test_an_error_ends_the_stream():
    def broken(input_ids, scores):
        if input_ids.shape[1] > 6:
            raise RuntimeError("broken")
        return scores

    recorder = Recorder()
    with pytest.raises(RuntimeError, match="broken"):
        make_generator().generate("the", streamer=recorder, logits_processor=[broken])
    assert recorder.ends == 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_tokenizer_decodes_a_single_token_and_takes_the_options_of_transformers(kind):
    tokenizer = fit_tokenizer(kind, TEXT * 3)
    tokens = tokenizer.encode("the cat").tolist()
    assert tokenizer.decode(tokens[0]) == tokenizer.decode(tokens[:1])
    whole = tokenizer.decode([BOS, *tokens, EOS], skip_special_tokens=True)
    assert whole == tokenizer.decode(tokens) == "the cat"


@pytest.mark.parametrize("skipped", [False, True])
def test_the_text_streamers_of_transformers_show_what_generate_returns(capsys, skipped):
    streamers = pytest.importorskip("transformers.generation.streamers")
    generator = make_generator()
    options = {"max_new_tokens": 60, "seed": 1}
    shown = streamers.TextStreamer(generator.tokenizer, skip_prompt=skipped, skip_special_tokens=True)
    [text] = generator.generate("the ", streamer=shown, **options)
    expected = text.removeprefix("the ") if skipped else text
    assert capsys.readouterr().out == expected + "\n"
    queue = streamers.TextIteratorStreamer(generator.tokenizer, skip_prompt=skipped, timeout=60)
    thread = threading.Thread(target=generator.generate, args=("the ",), kwargs={"streamer": queue, **options})
    thread.start()
    assert "".join(queue) == expected
    thread.join()
