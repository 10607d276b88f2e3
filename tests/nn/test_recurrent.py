import pytest
import torch

from seqgen.errors import InputError
from seqgen.nn.recurrent import Recurrent
from seqgen.state import State


def make(cell, layers=2, **options):
    return Recurrent(cell, 5, 7, layers, **options).eval()


def close(one, other):
    torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)


def close_states(one, other):
    for a, b in zip(one, other, strict=True):
        assert (a is None) == (b is None)
        if a is not None:
            close(a, b)


@pytest.mark.parametrize("layers", [1, 3])
def test_step_by_step_equals_forward(cell, layers):
    recurrent, x = make(cell, layers), torch.randn(4, 6, 5)
    out, final = recurrent(x)
    state = recurrent.start(4)
    for position in range(6):
        stepped, state = recurrent.step(x[:, position], state)
        close(stepped, out[:, position])
    close_states(state, final)


def test_carried_windows_equal_one_long_pass(cell):
    recurrent, x = make(cell), torch.randn(3, 12, 5)
    out, final = recurrent(x)
    pieces, state = [], None
    for begin, end in ((0, 1), (1, 7), (7, 12)):
        piece, state = recurrent(x[:, begin:end], state)
        pieces.append(piece)
    close(torch.cat(pieces, dim=1), out)
    close_states(state, final)


def test_padding_and_neighbours_change_nothing(cell):
    recurrent, x = make(cell), torch.randn(5, 8, 5)
    lengths = torch.tensor([3, 8, 1, 3, 5])
    start = State(torch.randn(2, 5, 7), torch.randn(2, 5, 7) if cell == "lstm" else None)
    out, final = recurrent(x, start, lengths)
    for row, length in enumerate(lengths.tolist()):
        alone, alone_final = recurrent(x[row : row + 1, :length], start.select(torch.tensor([row])))
        close(out[row, :length], alone[0])
        assert (out[row, length:] == 0).all()
        close_states(final.select(torch.tensor([row])), alone_final)


def test_what_stands_on_padding_is_never_read(cell):
    recurrent, x = make(cell), torch.randn(2, 6, 5)
    lengths = torch.tensor([2, 6])
    spoilt = x.clone()
    spoilt[0, 2:] = float("nan")
    close(recurrent(spoilt, None, lengths)[0], recurrent(x, None, lengths)[0])


def test_select_commutes_with_running(cell):
    recurrent, x = make(cell), torch.randn(4, 3, 5)
    rows = torch.tensor([2, 2, 0])
    out, state = recurrent(x)
    picked, picked_state = recurrent(x[rows])
    close(picked, out[rows])
    close_states(picked_state, state.select(rows))


def test_gradients_reach_all_weights_and_the_state(cell):
    recurrent = make(cell).train()
    h = torch.zeros(2, 2, 7, requires_grad=True)
    out, _ = recurrent(torch.randn(2, 4, 5), State(h, torch.zeros(2, 2, 7) if cell == "lstm" else None))
    out.sum().backward()
    assert h.grad.abs().sum() > 0
    assert all(parameter.grad.abs().sum() > 0 for parameter in recurrent.parameters())


def test_recurrent_weights_start_orthogonal_and_the_forget_bias_at_one(cell):
    recurrent = make(cell)
    for name, parameter in recurrent.named_parameters():
        if "weight_hh" in name:
            for gate in parameter.split(7):
                close(gate @ gate.T, torch.eye(7))
        elif "bias" in name:
            forget = parameter[7:14] if cell == "lstm" and "bias_ih" in name else parameter[:0]
            assert (forget == 1).all()
            assert parameter.sum() == forget.sum()


def test_locked_dropout_between_layers_is_the_same_at_every_step(cell):
    recurrent = make(cell, dropout=0.5).train()
    seen = []
    recurrent.layers[1].register_forward_pre_hook(lambda module, arguments: seen.append(arguments[0]))
    recurrent(torch.randn(3, 6, 5))
    zero = seen[0].transpose(0, 1) == 0
    assert zero.any()
    assert not zero.all()
    assert (zero == zero[:, :1]).all()


def test_unlocked_dropout_changes_from_step_to_step(cell):
    recurrent = make(cell, dropout=0.5, locked=False).train()
    seen = []
    recurrent.layers[1].register_forward_pre_hook(lambda module, arguments: seen.append(arguments[0]))
    recurrent(torch.randn(3, 20, 5))
    zero = seen[0].transpose(0, 1) == 0
    assert not (zero == zero[:, :1]).all()


def test_weight_drop_changes_training_and_not_evaluation(cell):
    recurrent, x = make(cell, weight_drop=0.5), torch.randn(2, 6, 5)
    plain = recurrent(x)[0]
    close(recurrent(x)[0], plain)
    recurrent.train()
    first, second = recurrent(x)[0], recurrent(x)[0]
    assert not torch.allclose(first, second)
    # The first step starts from zeros, on which recurrent weights have no effect, dropped or not.
    close(first[:, 0], second[:, 0])
    first.sum().backward()
    assert recurrent.layers[0].weight_hh_l0.grad.abs().sum() > 0


@pytest.mark.parametrize(
    "wrong",
    [{"cell": "elman"}, {"hidden_size": 0}, {"layers": 0}, {"dropout": 1.0}, {"weight_drop": -0.1}],
)
def test_what_makes_no_sense_is_refused(wrong):
    with pytest.raises(InputError, match=str(next(iter(wrong.values())))):
        Recurrent(**{"cell": "lstm", "input_size": 2, "hidden_size": 2, **wrong})
