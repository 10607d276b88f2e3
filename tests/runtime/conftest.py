from exporting import graphs, translations  # noqa: F401
