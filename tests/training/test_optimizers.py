import pytest
import torch
from torch import nn

from seqgen.errors import InputError
from seqgen.nn.recurrent import Recurrent
from seqgen.training.optimizers import Group, optimizers, set_learning_rates


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.old, self.new, self.output = Recurrent("lstm", 4, 4), Recurrent("lstm", 4, 4), nn.Linear(4, 2)


def rates(trainers, model):
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    return {
        names[id(one)]: group["lr"] for trainer in trainers for group in trainer.param_groups for one in group["params"]
    }


@pytest.mark.parametrize("name", ["adamw", "muon"])
def test_every_weight_has_one_optimizer_and_its_group_a_rate_of_its_own(name):
    model = Model()
    trainers = optimizers(model, name, 0.1, groups=[Group(list(model.old.parameters()), 0.5)])
    found = rates(trainers, model)
    assert set(found) == dict(model.named_parameters()).keys()
    assert found["old.layers.0.weight_hh_l0"] == found["new.layers.0.weight_hh_l0"] / 2 == 0.05
    assert found["output.weight"] == pytest.approx(0.1 if name == "adamw" else 0.02)
    assert found["old.layers.0.bias_hh_l0"] == found["output.weight"] / 2


def test_what_begins_later_has_no_rate_before():
    model = Model()
    trainers = optimizers(model, "adamw", 0.1, groups=[Group(list(model.old.parameters()), 0.5, begins=0.3)])
    for progress, expected in ((0.0, 0.0), (0.29, 0.0), (0.3, 0.02), (0.9, 0.02)):
        set_learning_rates(trainers, 0.4, progress)
        found = rates(trainers, model)
        assert found["old.layers.0.weight_hh_l0"] == pytest.approx(expected)
        assert found["output.weight"] == pytest.approx(0.04)


@pytest.mark.parametrize("name", ["adamw", "muon"])
def test_a_rate_of_its_own_does_not_depend_on_the_rest(name):
    model = Model()
    found = rates(optimizers(model, name, 0.1, groups=[Group([model.output.weight], learning_rate=0.3)]), model)
    assert found["output.weight"] == 0.3 != found["output.bias"]


def test_frozen_weights_are_left_out():
    model = Model()
    model.old.requires_grad_(False)
    assert not any(name.startswith("old") for name in rates(optimizers(model, "muon"), model))


def test_a_model_without_recurrent_layers_needs_no_muon():
    [adamw] = optimizers(nn.Linear(2, 2), "muon", 0.1)
    assert isinstance(adamw, torch.optim.AdamW)


def test_an_unknown_optimizer_is_refused():
    with pytest.raises(InputError, match="optimizer must be one of muon, adamw, not 'sgd'"):
        optimizers(Model(), "sgd")
