"""The fixtures of all tests, which only the processes that run tests import: handing out tests needs no torch."""


def pytest_configure(config):
    if config.getoption("dist", "no") == "no":
        config.pluginmanager.import_plugin("shared_fixtures")
