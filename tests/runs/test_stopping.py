import os
import signal

import pytest

from seqgen.interruptions import SIGNALS
from seqgen.runs import stopping
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


def test_a_ctrl_c_that_torchrun_passes_on_asks_once(monkeypatch):
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "none")
    with StopSignals() as signals:
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGINT)
        assert signals.received
        monkeypatch.setattr(stopping, "PASSED_ON", 0.0)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)


def test_a_member_of_an_ensemble_stops_when_the_process_that_started_it_has_ended(monkeypatch):
    monkeypatch.setenv(stopping.PARENT, str(os.getppid()))
    with StopSignals() as signals:
        assert not signals.received
        monkeypatch.setattr(os, "getppid", lambda: 1)
        assert signals.received


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
