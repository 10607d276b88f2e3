"""Logits processors of one's own, and those of `transformers` beside our own options of the same name."""

import pytest
import torch
from making import make_captioner, make_conditional_generator, make_generator, make_translator, sharpened

from seqgen.errors import InputError
from seqgen.generation.beam import beam_search
from seqgen.generation.config import GenerationConfig
from seqgen.generation.sampling import sample, sampled
from seqgen.symbols import BOS, EOS

PROMPTS = [[BOS, 5, 6, 7], [BOS], [BOS, 9, 9, 4], [BOS, 5]]
OPTIONS = {"max_new_tokens": 20, "precision": "fp32", "seed": 3}
BEAMS = {"max_new_tokens": 12, "precision": "fp32", "num_beams": 3, "do_sample": False, "num_return_sequences": 2}
WAYS = [OPTIONS, OPTIONS | {"do_sample": False}, BEAMS]


@pytest.fixture(scope="module")
def generator():
    return sharpened(make_generator(ends=True), 0.5, ending=-2.0)


def written(decoder, prompts, options, *processors):
    config = GenerationConfig(**options)
    if not config.do_sample:
        return beam_search(decoder, prompts, config, logits_processor=processors)
    return sampled(decoder, prompts, config, seeds=[3] * len(prompts), logits_processor=processors)


def falling(input_ids, scores):
    """Scores that depend on the length of a text and on its tokens."""
    return scores.scatter_add(1, input_ids, -torch.ones_like(input_ids, dtype=scores.dtype)) / input_ids.shape[1]


@pytest.mark.parametrize("options", WAYS)
def test_a_row_does_not_depend_on_its_neighbours(generator, options):
    together = written(generator.model, PROMPTS, options, falling)
    alone = [written(generator.model, [prompt], options, falling)[0] for prompt in PROMPTS]
    assert [[one.tokens for one in row] for row in together] == [[one.tokens for one in row] for row in alone]
    assert together != written(generator.model, PROMPTS, options)


@pytest.mark.parametrize("options", WAYS)
def test_it_sees_the_whole_text_of_unfinished_rows_and_the_logits_after_the_options(generator, options):
    seen = []

    def watch(input_ids, scores):
        assert input_ids.dtype == torch.long
        assert scores.dtype == torch.float32
        assert len(input_ids) == len(scores)
        assert (input_ids >= 0).all()
        assert not (input_ids == EOS).any()
        assert scores[:, 7].isneginf().all()
        seen.extend(map(tuple, input_ids.tolist()))
        return scores

    found = written(generator.model, PROMPTS, options | {"suppress_tokens": (7,)}, watch)
    for prompt, row in zip(PROMPTS, found, strict=True):
        for one in row:
            for length in range(len(one.tokens) + one.ended):
                assert (*prompt, *one.tokens[:length]) in seen
    assert any(one.ended for row in found for one in row) or not options.get("do_sample", True)
    assert len(seen) <= sum(map(len, PROMPTS)) + 4 * options.get("num_beams", 1) * options["max_new_tokens"]


@pytest.mark.parametrize("options", WAYS)
def test_what_it_excludes_is_never_written_and_where_all_is_excluded_the_row_ends(generator, options):
    def one_token(input_ids, scores):
        kept = torch.full_like(scores, float("-inf"))
        kept[:, 6] = 0.0 if input_ids.shape[1] < 8 else float("-inf")
        return kept

    for prompt, row in zip(PROMPTS, written(generator.model, PROMPTS, options, one_token), strict=True):
        assert row[0].tokens == [6] * (8 - len(prompt))
        assert row[0].ended


@pytest.mark.parametrize("options", WAYS)
def test_what_it_is_given_may_be_changed_in_place(generator, options):
    def careless(input_ids, scores):
        input_ids.fill_(9)
        scores[:, 6] = float("-inf")
        return scores

    found = written(generator.model, PROMPTS, options, careless)
    assert found == written(generator.model, PROMPTS, options | {"suppress_tokens": (6,)})


def test_the_logits_that_a_stream_shows_are_the_models_own(generator):
    def none(input_ids, scores):
        return scores.zero_()

    logits = [
        next(sample(generator.model, [[BOS, 5]], GenerationConfig(**OPTIONS), seeds=[1], **how))[2]
        for how in ({}, {"logits_processor": [none]})
    ]
    assert torch.equal(*logits)


@pytest.mark.parametrize("options", WAYS)
@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (
            lambda ids, scores: scores[:, :-1],
            r"must return scores of shape \(\d, \d+\), not those of shape \(\d, \d+\)",
        ),
        (lambda ids, scores: scores[0], "must return scores of shape"),
        (lambda ids, scores: None, r"must return scores of shape \(\d, \d+\), not NoneType"),
        (lambda ids, scores: scores / 0 * 0, "must return scores that are finite or -infinity"),
        (lambda ids, scores: scores + float("inf"), "must return scores that are finite or -infinity"),
        (lambda ids, scores: scores.double() + 1e300, "must return scores that are finite or -infinity"),
        (
            lambda ids, scores: scores + 1j,
            "as plain numbers, not torch.complex64",
        ),
        (lambda ids, scores: scores.to_sparse(), r"as plain numbers, not torch.float32 \(torch.sparse_coo\)"),
        (lambda ids, scores: scores.to("meta"), r"as plain numbers, .* on meta"),
        (lambda ids, scores: torch.quantize_per_tensor(scores.zero_(), 1.0, 0, torch.qint8), "not torch.qint8"),
    ],
)
def test_what_is_no_scores_is_a_sentence(generator, options, wrong, sentence):
    with pytest.raises(InputError, match=sentence):
        written(generator.model, PROMPTS, options, wrong)


def no_e(input_ids, scores):
    """Exclude a token."""
    scores[:, 9] = float("-inf")
    return scores


def test_every_kind_of_model_takes_it(generator):
    excluded = {"suppress_tokens": (*generator.generation.suppress_tokens, 9)}
    for options in ({"seed": 1}, {"num_beams": 3}):
        [plain], [found] = (
            generator.generate("the", **options),
            generator.generate("the", logits_processor=[no_e], **options),
        )
        assert generator.tokenizer.decode(9) in plain
        assert [found] == generator.generate("the", **excluded, **options)
    assert (
        "".join(generator.stream("the", seed=1, logits_processor=[no_e]))
        == generator.generate("the", seed=1, logits_processor=[no_e])[0]
    )
    for use in (
        make_translator().translate,
        make_captioner().caption,
        make_conditional_generator().generate,
    ):
        given = torch.rand(32, 32, 3).mul(255).byte().numpy() if use.__name__ == "caption" else "cat"
        suppressed = (*use.__self__.generation.suppress_tokens, 9)
        for options in ({"do_sample": True, "seed": 1}, {"num_beams": 3}):
            expected = use(given, suppress_tokens=suppressed, **options)
            assert use(given, logits_processor=[no_e], **options) == expected


def test_what_is_no_processor_is_a_sentence(generator):
    for wrong in (no_e, [3], [torch.nn.Identity]):
        with pytest.raises(InputError, match="logits_processor must be a list, each a LogitsProcessor"):
            generator.generate("the", logits_processor=wrong)


PAIRS = [  # a processor of transformers', its arguments, and our own options
    ("RepetitionPenaltyLogitsProcessor", (1.7,), {"repetition_penalty": 1.7}),
    ("NoRepeatNGramLogitsProcessor", (2,), {"no_repeat_ngram_size": 2}),
    ("SuppressTokensLogitsProcessor", ([5, 9],), {"suppress_tokens": (5, 9)}),
    ("MinNewTokensLengthLogitsProcessor", (2, 8, EOS), {"min_new_tokens": 8}),
    ("TemperatureLogitsWarper", (0.6,), {"temperature": 0.6}),
    ("TopKLogitsWarper", (3,), {"top_k": 3}),
    ("TopPLogitsWarper", (0.7,), {"top_p": 0.7}),
    ("MinPLogitsWarper", (0.2,), {"min_p": 0.2}),
]


@pytest.mark.parametrize(("name", "arguments", "own"), PAIRS)
def test_those_of_transformers_do_what_our_own_options_do(generator, name, arguments, own):
    theirs = getattr(pytest.importorskip("transformers.generation.logits_process"), name)(*arguments)
    for options in WAYS[:1] if "Warper" in name else WAYS:
        prompts = [[BOS, 5], [BOS, 9]]
        found = written(generator.model, prompts, options, theirs)
        expected = written(generator.model, prompts, options | own)
        assert [[one.tokens for one in row] for row in found] == [[one.tokens for one in row] for row in expected]
        assert found != written(generator.model, prompts, options)


def test_others_of_transformers_work_together(generator):
    processors = pytest.importorskip("transformers.generation.logits_process")
    bias = processors.SequenceBiasLogitsProcessor([[[9], 100.0]])
    assert set(generator.generate("the", max_new_tokens=5, logits_processor=[bias])[0][3:]) == {
        generator.tokenizer.decode(9)
    }
    several = processors.LogitsProcessorList(
        [
            processors.TypicalLogitsWarper(0.9),
            processors.EtaLogitsWarper(0.01, device="cpu"),
            processors.NoBadWordsLogitsProcessor([[9]], EOS),
            processors.LogitNormalization(),
        ]
    )
    for options in ({}, {"do_sample": False}, {"num_beams": 3}):
        assert generator.tokenizer.decode(9) not in generator.generate("on", logits_processor=several, **options)[0]
