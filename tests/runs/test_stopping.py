import os
import signal

import pytest

from seqgen.runs.stopping import StopSignals


@pytest.mark.parametrize("number", StopSignals.NUMBERS)
def test_the_first_signal_asks_and_the_second_interrupts(number, capsys):
    with StopSignals() as signals:
        assert not signals.received
        os.kill(os.getpid(), number)
        assert signals.received
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), number)
    assert "once more to stop at once" in capsys.readouterr().err


def test_earlier_handlers_come_back():
    def mine(number, frame):
        raise AssertionError("not within the context")

    before = {number: signal.signal(number, mine) for number in StopSignals.NUMBERS}
    try:
        with StopSignals():
            assert all(signal.getsignal(number) is not mine for number in StopSignals.NUMBERS)
        assert all(signal.getsignal(number) is mine for number in StopSignals.NUMBERS)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
