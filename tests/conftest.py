"""The fixtures of all tests, which only the processes that run tests import: handing out tests needs no torch."""

import pytest


def pytest_configure(config):
    if config.getoption("dist", "no") == "no":
        config.pluginmanager.import_plugin("shared_fixtures")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Hand out tests in two halves, and what is left of one to whoever has ended: modules share what is costly."""
    from xdist.scheduler import WorkStealingScheduling

    return WorkStealingScheduling(config, log)
