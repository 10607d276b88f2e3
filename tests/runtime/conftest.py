from exporting import translations  # noqa: F401
