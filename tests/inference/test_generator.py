import math

import pytest
import torch
from making import TEXT, make_generator, sharpened

from seqgen.errors import InputError
from seqgen.inference.generator import Generator
from seqgen.symbols import BOS, EOS
from seqgen.text.tokenizer import fit_tokenizer

LONG = {"max_new_tokens": 60, "seed": 7}


def test_a_prompt_gives_a_list_of_one_text(generator):
    [text] = generator.generate("the ", **LONG)
    assert text.startswith("the ")
    assert len(text) == 64


def test_the_stream_is_the_same_text_in_pieces(generator):
    pieces = list(generator.stream("the ", **LONG))
    assert len(pieces) == 61
    assert "".join(pieces) == generator.generate("the ", **LONG)[0]


@pytest.mark.parametrize("kind", ["char", "byte", "word", "subword"])
@pytest.mark.parametrize("options", [{}, {"temperature": 0.1}, {"top_k": 2}, {"stop_strings": ["a"]}])
def test_the_pieces_are_the_stream_with_the_models_own_probabilities(kind, options):
    text = TEXT + "the caf\u00e9. a cat\u2019s mat.\n" * 40
    tokenizer = fit_tokenizer(kind, text, None if kind != "subword" else 290)
    generator = sharpened(Generator.untrained(tokenizer=tokenizer, ends=True, hidden_size=16, embedding_size=8))
    options = LONG | {"precision": "fp32"} | options  # as bf16 would round the logits
    pieces = list(generator.pieces("the ", candidates=3, **options))
    assert "the " + "".join(piece.text for piece in pieces) == "".join(generator.stream("the ", **options))
    tokens, logs = [BOS, *tokenizer.encode("the ").tolist()], []
    for piece in pieces:
        with torch.inference_mode():
            logs.append(generator.model(torch.tensor([tokens]))[0][0, -1].log_softmax(dim=0))
        tokens.append(piece.token)
        best = logs[-1].topk(3)
        assert piece.log_probability == pytest.approx(float(logs[-1][piece.token]), abs=1e-3)
        assert [one.log_probability for one in piece.candidates] == pytest.approx(best.values.tolist(), abs=1e-3)
        mine = [one.text for one in piece.candidates if one.token == piece.token]
        assert mine in ([], [piece.text]) or piece.ending
    assert [piece.ending is not None for piece in pieces] == [False] * (len(pieces) - 1) + [True]
    stopped = pieces[-1].token == EOS or ("stop_strings" in options and "a" in pieces[-1].text)
    assert pieces[-1].ending == ("stop" if stopped else "length")


def test_a_candidate_begins_the_text_that_it_would_have_made(generator):
    first, *_ = generator.pieces("the ", candidates=generator.tokenizer.vocab_size, max_new_tokens=1, seed=1)
    assert len(first.candidates) == generator.tokenizer.vocab_size
    assert sum(math.exp(one.log_probability) for one in first.candidates) == pytest.approx(1, abs=1e-4)
    with pytest.raises(InputError, match="candidates must be at least 0"):
        generator.pieces("the ", candidates=-1)


def test_a_batch_of_prompts_writes_what_each_writes_alone(generator):
    prompts = ["the ", "", "the dog sat on", "a"]
    options = {"num_return_sequences": 3, "precision": "fp32", **LONG}  # "auto" may depend on the number of rows
    together = generator.generate(prompts, **options)
    alone = [text for prompt in prompts for text in generator.generate(prompt, **options)]
    assert together == alone
    assert len(set(together)) == 12


def test_seeds_repeat_and_no_seed_does_not(generator):
    assert generator.generate("the ", seed=1) == generator.generate("the ", seed=1)
    assert generator.generate("the ") != generator.generate("the ")


@pytest.mark.parametrize("stops", [["at"], ["zzz", "o", "at"], [" s", "at"]])
def test_a_text_ends_with_the_first_stop_string_and_not_before(generator, stops):
    whole = generator.generate("the ", max_new_tokens=400, seed=2)[0][4:]
    [text] = generator.generate("the ", max_new_tokens=400, seed=2, stop_strings=stops)
    end = min(whole.find(stop) + len(stop) for stop in stops if stop in whole)
    assert text[4:] == whole[:end]


def test_each_row_of_a_batch_has_its_own_end(generator):
    texts = generator.generate(["the ", "on "], stop_strings=["at"], max_new_tokens=300, seed=2)
    assert texts == [generator.generate(p, stop_strings=["at"], max_new_tokens=300, seed=2)[0] for p in ("the ", "on ")]


def test_unseen_characters_are_named_or_replaced(generator):
    with pytest.raises(InputError, match="'\u00e9', '\u4e16'"):
        generator.generate("the caf\u00e9 \u4e16")
    [text] = generator.generate("the caf\u00e9 ", unseen="replace", **LONG)
    assert text.startswith("the caf\u00e9 ")
    with pytest.raises(InputError, match="'\u00e9'"):
        generator.score("\u00e9")
    with pytest.raises(InputError, match="unseen must be"):
        generator.generate("the", unseen="ignore")


def test_a_model_of_one_stream_never_ends_and_one_of_documents_may(generator):
    assert len(generator.generate("", max_new_tokens=500, temperature=5.0, seed=1)[0]) == 500
    ending = make_generator(ends=True)
    assert len(ending.generate("", max_new_tokens=500, temperature=5.0, seed=1)[0]) < 500


def test_the_score_is_the_log_probability_of_each_token(cell):
    generator = make_generator(cell=cell)
    score = generator.score("the cat")
    assert score.tokens == list("the cat")
    state, token = generator.model.start(batch_size=1), BOS
    for character, found in zip("the cat", score.log_probabilities, strict=True):
        logits, state = generator.model.step(torch.tensor([token]), state)
        token = generator.tokenizer.encode(character)[0]
        assert found == pytest.approx(logits[0].log_softmax(-1)[token].item(), abs=1e-4)
    assert score.perplexity == pytest.approx(math.exp(-sum(score.log_probabilities) / 7))


def test_a_long_text_is_scored_in_stretches_as_if_in_one(generator):
    score = generator.score(TEXT * 4)  # longer than a stretch
    logits, _ = generator.model(torch.tensor([[BOS, *generator.tokenizer.encode(TEXT * 4)[:-1]]]))
    total = torch.nn.functional.cross_entropy(logits[0], torch.from_numpy(generator.tokenizer.encode(TEXT * 4)))
    assert math.log(score.perplexity) == pytest.approx(total.item(), abs=1e-4)


def test_nothing_to_do_and_nothing_to_score(generator):
    assert generator.generate([]) == []
    with pytest.raises(InputError, match="empty"):
        generator.score("")


def test_a_stream_writes_one_text(generator):
    with pytest.raises(InputError, match="num_return_sequences must be 1, not 2"):
        generator.stream("the", num_return_sequences=2)


def test_misspelt_options_are_errors_before_anything_is_written(generator):
    with pytest.raises(InputError, match="temperature"):
        generator.stream("the", temprature=0.5)


def test_pieces_of_a_batch_are_the_texts_and_the_pieces_of_each_alone():
    generator = make_generator(ends=True)
    options = {"max_new_tokens": 40, "temperature": 0.8, "seed": 4, "precision": "fp32", "stop_strings": ["at "]}
    prompts = ["the ", "a dog", ""]
    texts = [prompt for prompt in prompts for _ in range(2)]
    endings = [None] * 6
    for row, piece in generator.batch_pieces(prompts, candidates=2, num_return_sequences=2, **options):
        assert endings[row] is None
        assert len(piece.candidates) == 2
        texts[row] += piece.text
        endings[row] = piece.ending
    assert texts == generator.generate(prompts, num_return_sequences=2, **options)
    assert all(endings)
    alone = list(generator.pieces("the ", candidates=3, **options))
    assert [piece for _, piece in generator.batch_pieces(["the "], candidates=3, **options)] == alone
    with pytest.raises(InputError, match="beam search"):
        generator.batch_pieces(["the "], num_beams=2)
