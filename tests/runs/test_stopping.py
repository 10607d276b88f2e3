import os
import signal

import pytest

from seqgen.interruptions import SIGNALS
from seqgen.runs.stopping import StopSignals


@pytest.mark.parametrize("number", SIGNALS)
def test_the_first_signal_asks_and_the_second_interrupts(number, capfd):
    with StopSignals() as signals:
        assert not signals.received
        os.kill(os.getpid(), number)
        assert signals.received
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), number)
    assert "once more to stop at once" in capfd.readouterr().err


def test_earlier_handlers_come_back():
    def mine(number, frame):
        raise AssertionError("not within the context")

    before = {number: signal.signal(number, mine) for number in SIGNALS}
    try:
        with StopSignals():
            assert all(signal.getsignal(number) is not mine for number in SIGNALS)
        assert all(signal.getsignal(number) is mine for number in SIGNALS)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
