"""A causal language model of transformers: what it says of a text is what transformers says, and it is plain data."""

import json
import math

import pytest
import torch
from making import make_generator

from seqgen.cli import main as cli
from seqgen.errors import InputError
from seqgen.inference.causal_language_model import CausalLanguageModel, is_causal_language_model

transformers = pytest.importorskip("transformers")
tokenizers = pytest.importorskip("tokenizers")

CONTEXT = 16
TEXT = "the cat sat on the mat. the dog sat on the log.\n" * 2


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a tiny random GPT-2 and a tokenizer of characters."""
    directory = tmp_path_factory.mktemp("gpt2") / "tiny"
    numbers = {character: number for number, character in enumerate(["<|endoftext|>", *sorted(set(TEXT))])}
    characters = tokenizers.Tokenizer(tokenizers.models.BPE(numbers, []))
    fast = transformers.PreTrainedTokenizerFast(tokenizer_object=characters, bos_token="<|endoftext|>")
    fast.save_pretrained(directory)
    torch.manual_seed(1)
    sizes = {"n_positions": CONTEXT, "n_embd": 16, "n_layer": 2, "n_head": 2, "initializer_range": 0.5}
    config = transformers.GPT2Config(vocab_size=len(numbers), bos_token_id=0, eos_token_id=0, **sizes)
    transformers.GPT2LMHeadModel(config).save_pretrained(directory)
    return directory


def test_the_log_probability_is_the_loss_that_transformers_has(folder):
    text = TEXT[: CONTEXT - 1]
    model = CausalLanguageModel.from_directory(str(folder))
    tokens, logs = model.score(text)
    numbers = torch.tensor([[0, *tokens]])
    loss = model.model(numbers, labels=numbers).loss
    assert len(logs) == len(tokens) == len(text)
    assert -logs.sum() == pytest.approx(float(loss) * len(tokens), rel=1e-5)


def test_a_longer_text_is_read_in_a_window_that_slides(folder):
    model = CausalLanguageModel.from_directory(str(folder))
    tokens, logs = model.score(TEXT)
    numbers = torch.tensor([0, *tokens])
    assert len(logs) == len(TEXT)
    for place in range(1, len(numbers)):
        if place < CONTEXT:
            begin = 0
        else:  # the last window that has half of the context before its first target
            half = CONTEXT // 2
            begin = (place - CONTEXT) // half * half + half
        logits = model.model(numbers[None, begin:place]).logits[0, -1]
        assert logs[place - 1] == pytest.approx(float(logits.log_softmax(0)[numbers[place]]), abs=1e-4)


def test_it_stands_beside_a_run(folder, tmp_path, command):
    (tmp_path / "text.txt").write_text(TEXT)
    make_generator().save_pretrained(tmp_path / "run")
    places = [str(tmp_path / "run"), str(folder)]
    code, out, err = command(cli.main, "evaluate", *places, "--data", str(tmp_path / "text.txt"), "--json")
    assert code == 0, err
    run, gpt2 = map(json.loads, out.splitlines())
    _, logs = CausalLanguageModel.from_directory(str(folder)).score(TEXT)
    assert gpt2["bits_per_character"] == pytest.approx(-logs.sum() / len(TEXT) / math.log(2))
    assert set(gpt2) == set(run)
    code, out, err = command(cli.main, "evaluate", places[1], str(tmp_path / "text.txt"), "--adapt", "cache")
    assert (code, "a model that can adapt" in err) == (2, True)


def test_what_is_no_plain_data_is_refused(folder, tmp_path):
    assert is_causal_language_model(str(folder))
    assert not is_causal_language_model(str(tmp_path))
    config = json.loads((folder / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config))
    torch.save({}, tmp_path / "pytorch_model.bin")
    with pytest.raises(InputError, match="safetensors"):
        CausalLanguageModel.from_directory(str(tmp_path))
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    (tmp_path / "model.safetensors").write_bytes(b"damaged")
    with pytest.raises(InputError, match="that transformers can read"):
        CausalLanguageModel.from_directory(str(tmp_path))
    config["auto_map"] = {"AutoModelForCausalLM": "own.Own", "AutoConfig": "own.OwnConfig"}
    config["model_type"] = "own"
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "own.py").write_text("raise SystemExit('it ran')")
    with pytest.raises(InputError, match="that transformers can read"):
        CausalLanguageModel.from_directory(str(tmp_path))
