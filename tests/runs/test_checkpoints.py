import errno
import os

import pytest
import torch

from seqgen import files
from seqgen.errors import InputError
from seqgen.runs.checkpoints import load_checkpoint, save_checkpoint


def tree(number):
    return {
        "step": number,
        "loss": 0.1 + 0.2,
        "best": float("inf"),
        "none": None,
        "betas": [0.9, 0.99],
        "state": {0: {"step": torch.tensor(3.0), "average": torch.randn(2, 3)}, 1: {}},
        "random": torch.get_rng_state(),
        "half": torch.randn(3).bfloat16(),
    }


def same(one, other):
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other) and one.dtype == other.dtype
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    return one == other


def test_what_is_saved_is_loaded_bit_for_bit(tmp_path):
    values = tree(1)
    save_checkpoint(tmp_path, 1, values)
    assert same(load_checkpoint(tmp_path), values)


def test_there_is_none_before_the_first(tmp_path):
    assert load_checkpoint(tmp_path) is None


def test_the_newest_is_loaded_and_two_are_kept(tmp_path):
    for number in (1, 20, 3000):
        save_checkpoint(tmp_path, number, tree(number))
    assert len(os.listdir(tmp_path)) == 2
    assert load_checkpoint(tmp_path)["step"] == 3000


def spoil_cut(path):
    path.write_bytes(path.read_bytes()[:-5])


def spoil_cut_short(path):
    path.write_bytes(path.read_bytes()[:4])


def spoil_empty(path):
    path.write_bytes(b"")


def spoil_tensor(path):
    content = bytearray(path.read_bytes())
    content[-2] ^= 1
    path.write_bytes(content)


def spoil_header(path):
    path.write_bytes(path.read_bytes().replace(b"0.99", b"0.98"))


SPOILERS = [spoil_cut, spoil_cut_short, spoil_empty, spoil_tensor, spoil_header]


@pytest.mark.parametrize("spoil", SPOILERS)
def test_a_damaged_checkpoint_is_refused_and_the_one_before_it_used(tmp_path, caplog, spoil):
    save_checkpoint(tmp_path, 1, tree(1))
    spoil(save_checkpoint(tmp_path, 2, tree(2)))
    assert load_checkpoint(tmp_path)["step"] == 1
    assert "step-000000002.safetensors" in caplog.text
    assert "truncated or altered" in caplog.text


def test_where_all_are_damaged_that_is_said(tmp_path):
    for number in (1, 2):
        spoil_cut(save_checkpoint(tmp_path, number, tree(number)))
    with pytest.raises(InputError, match="all 2 are damaged"):
        load_checkpoint(tmp_path)


@pytest.mark.parametrize("failing", ["fsync", "replace"])
def test_a_full_disk_costs_no_earlier_checkpoint(tmp_path, monkeypatch, failing):
    save_checkpoint(tmp_path, 1, tree(1))

    def full(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files.os, failing, full)
    with pytest.raises(OSError, match="No space left") as caught:
        save_checkpoint(tmp_path, 2, tree(2))
    assert caught.value.filename.endswith("step-000000002.safetensors")
    assert len(os.listdir(tmp_path)) == 1
    assert load_checkpoint(tmp_path)["step"] == 1
