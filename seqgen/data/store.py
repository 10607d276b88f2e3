"""temp"""

import numpy as np


class R(list):
    @property
    def lengths(self):
        return np.array([len(r) for r in self], dtype=np.int64)


def stored(identity, rows, largest):
    cols = list(zip(*rows()))
    return tuple(R(c) for c in cols)


def fingerprint(x):
    return "x"
