"""Set before any framework is imported: quiet logs and one thread a worker. And what every test may ask for."""

from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
for _name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS"):
    os.environ.setdefault(_name, "1")  # two workers share two cores
os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")
os.environ.setdefault("KERAS_BACKEND", "numpy")

import pytest

from keras_fn.core.backend import Backend, active

# what only the users of one framework do is tested where that framework is the backend; what forks, where there are no
# threads of a framework
_backends = ("jax", "torch", "tensorflow", "numpy")
collect_ignore = [f"only_{name}" for name in _backends if name != os.environ["KERAS_BACKEND"]]


@pytest.fixture
def backend() -> Backend:
    """The backend that this run is on. Ask it for what it can do, not for its name."""
    return active.backend


@pytest.fixture(autouse=True)
def fresh_state() -> None:
    """Every test starts with the same default seeds and with names counted from 1."""
    from keras_fn.core import naming
    from keras_fn.random import host

    host.set_random_seed(0)
    naming.reset()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests marked `slow` come last, so that what is broken shows early."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is not None)
