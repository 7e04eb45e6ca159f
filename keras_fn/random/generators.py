"""Where every global generator of random numbers is, so that a run that is taken up again draws what it would have."""

from __future__ import annotations

import random
from typing import Any

import numpy as np

from keras_fn.core.backend import active
from keras_fn.random import host


def generators_state() -> dict[str, Any]:
    """Python's, NumPy's and the framework's global generators, and keras_fn's stream: plain data and arrays."""
    version, words, gauss = random.getstate()
    kind, keys, place, has_gauss, cached = np.random.get_state(legacy=True)
    return {
        "python": {"version": version, "words": np.array(words, "uint32"), "gauss": gauss},
        "numpy": {
            "kind": str(kind),
            "keys": np.array(keys, "uint32"),
            "place": int(place),
            "has_gauss": int(has_gauss),
            "cached": float(cached),
        },
        "framework": active.backend.random_state(),
        "stream": host.stream_state(),
    }


def set_generators_state(state: dict[str, Any]) -> None:
    """Puts all generators where `generators_state` found them."""
    python, numpy = state["python"], state["numpy"]
    random.setstate((python["version"], tuple(python["words"].tolist()), python["gauss"]))
    np.random.set_state((numpy["kind"], numpy["keys"], numpy["place"], numpy["has_gauss"], numpy["cached"]))
    if state["framework"] is not None:
        active.backend.set_random_state(state["framework"])
    host.set_stream_state(state["stream"])
