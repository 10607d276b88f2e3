"""Recurrent sequence models: the same few parts write, classify, tag, caption and translate.

Each public name stands once, in `__init__.pyi`, and is imported when it is first used: `import seqgen` loads no torch.
"""

import lazy_loader

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
