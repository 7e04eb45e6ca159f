"""Set before any framework is imported: quiet logs and one thread a worker. And what every test may ask for."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
for _name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS"):
    os.environ.setdefault(_name, "1")  # two workers share two cores
os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")
os.environ.setdefault("KERAS_BACKEND", "numpy")


def compile_cheaply() -> None:
    """On JAX most of a run is spent in XLA: every eager op is compiled for every shape.

    So XLA optimises little, and what was compiled is kept in a folder of this run. A worker finds there what the other
    one compiled, and so does a test whose new model means the same program as an older one. Workers and subprocesses
    inherit the folder; who made it removes it.
    """
    os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0")
    if "JAX_COMPILATION_CACHE_DIR" in os.environ:
        return
    folder = tempfile.mkdtemp(prefix="keras_fn_tests_xla_")
    os.environ["JAX_COMPILATION_CACHE_DIR"] = folder
    os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"
    os.environ["JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES"] = "-1"
    atexit.register(shutil.rmtree, folder, ignore_errors=True)


if os.environ["KERAS_BACKEND"] == "jax":  # TensorFlow reads XLA_FLAGS too
    compile_cheaply()

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
