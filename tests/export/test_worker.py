"""The scripts of the page that writes: tokenizers and options of generation are those of the library."""

import random
import sys
import unicodedata

import numpy as np
import pytest
import torch
from making import TEXT
from torch import nn

from seqgen.export.web_page import worker
from seqgen.export.web_tokenizer import web_tokenizer
from seqgen.generation.config import GenerationConfig
from seqgen.generation.history import History
from seqgen.generation.logits import processor
from seqgen.inference.generator import Generator
from seqgen.state import State
from seqgen.text.tokenizer import KINDS, fit_tokenizer
from seqgen.text.words import WORDS

WORDS_OF_ALL = TEXT + 'It\'s "odd", (isn\u2019t it)?\n\n\tNaïve façade 東京 ΑΣ 1.5_x e\u0301 \u200d ...\n' * 9
CHARACTERS = "abctheosdg  \n\n\t.,'\u2019\"()ïç東Σİß\u00a0\u0085\ufeff\u001c\u2028\u0301\u200d😀_9\u2581\ufffd\0"


@pytest.fixture(scope="module")
def scripts(browser):
    """A page that has the scripts."""
    page = browser.new_page()
    page.add_script_tag(content=worker())
    yield page
    page.close()


@pytest.fixture(scope="module", params=KINDS)
def tokenizer(request):
    return fit_tokenizer(request.param, WORDS_OF_ALL, 330)


def texts(count):
    draw = random.Random(1)
    whole = WORDS_OF_ALL.split(" ")
    for _ in range(count):
        yield "".join(draw.choices(CHARACTERS, k=draw.randint(0, 30)))
        yield " ".join(draw.choices(whole, k=draw.randint(1, 30)))
    yield "the" * 2_000 + "a" * 3_001


def test_prompts_are_encoded_as_the_library_does(scripts, tokenizer):
    given = list(texts(150))
    found = scripts.evaluate(
        "([data, texts]) => { const tokenizer = tokenizerOf(data); "
        "return texts.map((text) => [tokenizer.encode(text), tokenizer.unseen(text)]); }",
        [web_tokenizer(tokenizer), given],
    )
    for text, (tokens, unseen) in zip(given, found, strict=True):
        assert tokens == tokenizer.encode(text).tolist(), text
        assert unseen == [one for one in tokenizer.unseen(text) if one != "\ufffd"]


def test_tokens_are_decoded_as_the_library_does(scripts, tokenizer):
    draw = random.Random(2)
    given = [draw.choices(range(tokenizer.vocab_size), k=60) for _ in range(100)]
    given += [tokenizer.encode(text).tolist() for text in texts(100)]
    found = scripts.evaluate(
        """([data, rows]) => rows.map((row) => {
            const detokenizer = tokenizerOf(data).detokenizer();
            const pieces = row.map((token) => {
              const other = detokenizer.copy();
              const text = detokenizer.push(token);
              if (other.push(token) !== text) throw new Error("a copy must go on by itself");
              return text;
            });
            return pieces.join("") + detokenizer.flush();
        })""",
        [web_tokenizer(tokenizer), given],
    )
    assert found == list(map(tokenizer.decode, given))


def test_every_character_is_a_word_or_none_as_in_the_library(scripts):
    known = [one for one in map(chr, range(sys.maxunicode)) if unicodedata.category(one) not in ("Cn", "Cs", "Co")]
    text = f" {' '.join(known)} "
    found = scripts.evaluate("(text) => [...wordsOf(text)].map(([gap, word]) => `${gap}|${word}`).join('')", text)
    ends = [0, *(one.end() for one in WORDS.finditer(text))]
    words = [*WORDS.finditer(text)]
    gaps = [text[end : one.start()] for end, one in zip(ends, words, strict=False)]
    assert found == "".join(f"{gap}|{one[0]}" for gap, one in zip(gaps, words, strict=True)) + f"{text[ends[-1] :]}|"


OPTIONS = [
    {"top_k": 3},
    {"top_p": 0.5},
    {"top_p": 1.0},
    {"min_p": 0.3, "temperature": 0.4},
    {"repetition_penalty": 1.7, "top_k": 5},
    {"no_repeat_ngram_size": 1},
    {"no_repeat_ngram_size": 3, "suppress_tokens": [0, 1, 3]},
    {"min_new_tokens": 4, "suppress_tokens": [0]},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_options_leave_the_scores_that_the_library_leaves(scripts, options):
    config = GenerationConfig(**options)
    draw = np.random.default_rng(1)
    prompt, written = draw.integers(4, 8, 9).tolist(), draw.integers(4, 8, 6).tolist()
    logits = draw.normal(size=12).round(1).astype(np.float32)  # of which some are equal
    found = scripts.evaluate(
        """([options, prompt, written, logits]) => {
            const processor = new Processor(options, prompt);
            return [null, ...written].map((token) => {
              if (token !== null) processor.add(token);
              return [...processor.process(Float32Array.from(logits))];
            });
        }""",
        [config.to_data(), prompt, written, logits.tolist()],
    )
    history = History([prompt], len(logits), config)
    for token, scores in zip([None, *written], found, strict=True):
        if token is not None:
            history.add([0], [token])
            history.written += 1
        expected = processor(config, history)(torch.from_numpy(logits)[None], [0])[0].numpy()
        assert np.allclose(np.array(scores, float), expected, atol=1e-5)


def test_a_token_is_chosen_as_often_as_it_is_probable(scripts):
    scores = [float(np.log(share)) for share in (0.5, 0.3, 0.2)]
    counts = scripts.evaluate(
        """(scores) => {
            const random = randomNumbers(7);
            const counts = [0, 0, 0, 0];
            for (let i = 0; i < 20000; i += 1) counts[choose(Float64Array.from([...scores, NEVER]), random())] += 1;
            return counts;
        }""",
        scores,
    )
    assert np.allclose(np.array(counts) / 20_000, [0.5, 0.3, 0.2, 0], atol=0.02)
    assert scripts.evaluate("choose(Float64Array.from([NEVER, NEVER, NEVER]), 0.5)") == 2  # EOS


class Bigrams(nn.Module):
    """A decoder whose logits depend on nothing but the last token."""

    def __init__(self, logits):
        super().__init__()
        self.logits = nn.Parameter(logits, requires_grad=False)

    def start(self, memory=None, *, batch_size=None):
        return State(torch.zeros(1, batch_size, 1))

    def step(self, tokens, state, memory=None):
        return self.logits[tokens], state


ENDINGS = [
    {"max_new_tokens": 7, "suppress_tokens": [0, 1, 2, 3]},
    {"max_new_tokens": 300, "suppress_tokens": [0, 1, 3]},
    {"max_new_tokens": 300, "min_new_tokens": 40, "suppress_tokens": [0, 1, 3], "no_repeat_ngram_size": 4},
    {"max_new_tokens": 300, "stop_strings": ["e", "at", "\n"], "no_repeat_ngram_size": 3},
]


def test_greedy_pieces_are_those_of_the_library(scripts, tokenizer):
    size = tokenizer.vocab_size
    logits = np.random.default_rng(3).normal(scale=3, size=(size, size)).round(5)
    generator = Generator.of(Bigrams(torch.from_numpy(logits).float()), tokenizer=tokenizer)
    answers = scripts.evaluate(
        """async ([tokenizer, all, numbers]) => {
            const network = { start: () => ({}), step: async (token) => [Float32Array.from(numbers[token]), {}] };
            const answers = [];
            for (const options of all) {
              const generator = new Generator(network, { tokenizer, options });
              const request = { prompt: "the cat", unseen: "replace", candidates: 5, top_k: 1, seed: 1 };
              answers.push([]);
              for await (const line of generator.lines(request)) answers.at(-1).push(line);
            }
            return answers;
        }""",
        [web_tokenizer(tokenizer), [GenerationConfig(**one).to_data() for one in ENDINGS], logits.tolist()],
    )
    for options, (*lines, last) in zip(ENDINGS, answers, strict=True):
        generator.generation = GenerationConfig(**options)
        expected = list(generator.pieces("the cat", unseen="replace", top_k=1))
        found = [piece for line in lines for piece in line["pieces"]]
        assert [piece["text"] for piece in found] == [piece.text for piece in expected]
        logs = [log for piece in found for log in (piece["log_probability"], *(log for _, log in piece["candidates"]))]
        assert np.allclose(logs, [log for one in expected for log in (one.log_probability, *logs_of(one))], atol=1e-4)
        texts = [[None if other.ends else other.text for other in one.candidates] for one in expected]
        assert [[text for text, _ in piece["candidates"]] for piece in found] == texts
        assert (last["ending"], last["tokens"]) == (expected[-1].ending, len(expected))


def logs_of(piece):
    return [other.log_probability for other in piece.candidates]
