"""A causal language model of transformers: what it says of a text is what transformers says, and it is plain data."""

import json
import math
import os
import shutil

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
    with pytest.raises(InputError, match="it is damaged"):
        CausalLanguageModel.from_directory(str(tmp_path))
    config["auto_map"] = {"AutoModelForCausalLM": "own.Own", "AutoConfig": "own.OwnConfig"}
    config["model_type"] = "own"
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "own.py").write_text("raise SystemExit('it ran')")
    with pytest.raises(InputError, match="that transformers can read"):
        CausalLanguageModel.from_directory(str(tmp_path))


def refused(directory):
    """Return the sentence by which the model of a folder, or what it says of a text, is refused."""
    with pytest.raises(InputError) as refusal:
        CausalLanguageModel.from_directory(str(directory)).score(TEXT)
    return str(refusal.value)


@pytest.fixture
def copied(folder, tmp_path):
    """A copy of the folder, to be damaged."""
    return shutil.copytree(folder, tmp_path / "copied")


def test_a_model_that_reads_what_comes_after_a_token_is_refused(copied):
    torch.manual_seed(1)
    sizes = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = transformers.BertConfig(vocab_size=len(set(TEXT)) + 1, **sizes)
    transformers.BertForMaskedLM(config).save_pretrained(copied)
    assert "from those before it alone" in refused(copied)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"n_layer": 3}, "must be all"),
        ({"n_layer": -1}, "also have transformer.h.0"),
        ({"n_layer": 1}, "also have transformer.h.1"),
        ({"n_layer": 10**9}, "n_layer must be at most 10,000"),
        ({"vocab_size": 10**10}, "must be all"),
        ({"n_positions": CONTEXT // 2}, "that transformers can read"),
    ],
)
def test_weights_are_those_of_the_config_and_the_reverse(copied, change, sentence):
    config = json.loads((copied / "config.json").read_text())
    (copied / "config.json").write_text(json.dumps(config | change))
    assert sentence in refused(copied)


@pytest.mark.parametrize("missing", ["transformer.ln_f.weight", "transformer.h.0.attn.c_attn.bias"])
def test_weights_that_are_missing_or_no_numbers_are_refused(copied, missing):
    torch_files = pytest.importorskip("safetensors.torch")
    weights = torch_files.load_file(copied / "model.safetensors")
    torch_files.save_file(weights | {missing: weights[missing] * math.nan}, copied / "model.safetensors")
    assert "finite" in refused(copied)
    weights["x"] = weights.pop(missing)
    torch_files.save_file(weights, copied / "model.safetensors")
    assert f"lack {missing}" in refused(copied)


def test_an_index_names_files_of_safetensors_in_the_folder_and_nothing_else(folder, copied):
    weights = copied / "model.safetensors"
    weights.rename(copied / "one.safetensors")

    def index(name):
        (copied / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"x": name}}))

    index("one.safetensors")
    expected = CausalLanguageModel.from_directory(str(folder)).score(TEXT)[1]
    assert (CausalLanguageModel.from_directory(str(copied)).score(TEXT)[1] == expected).all()
    torch.save({}, copied / "pytorch_model.bin")
    for name in ("pytorch_model.bin", str(folder / "model.safetensors"), "../x.safetensors", "none.safetensors", 3):
        index(name)
        assert "must hold the model's weights as safetensors" in refused(copied)


def test_no_config_picks_a_kernel(copied):
    config = json.loads((copied / "config.json").read_text())
    for name in ("attn_implementation", "_attn_implementation"):
        (copied / "config.json").write_text(json.dumps(config | {name: "some/kernel"}))
        model = CausalLanguageModel.from_directory(str(copied)).model
        assert model.config._attn_implementation == "eager"


def test_what_is_no_regular_file_is_never_opened(copied):
    (copied / "config.json").write_text('{"model_type":"gpt2","a":' + "[" * 10**5 + "]" * 10**5 + "}")
    assert not is_causal_language_model(str(copied))
    (copied / "config.json").unlink()
    os.mkfifo(copied / "config.json")
    assert not is_causal_language_model(str(copied))
    assert "regular files, but config.json" in refused(copied)
    (copied / "config.json").unlink()
    (copied / "config.json").write_bytes(b" " * (1 << 24) + b"{}")
    assert not is_causal_language_model(str(copied))


def test_the_tokenizer_is_there_and_has_no_tokens_that_the_model_has_not(copied):
    data = json.loads((copied / "tokenizer.json").read_text())
    data["model"]["vocab"]["s"] = 999
    (copied / "tokenizer.json").write_text(json.dumps(data))
    assert "but one is 999" in refused(copied)
    for path in copied.glob("tokenizer*"):
        path.unlink()
    assert "tokenizer" in refused(copied)
