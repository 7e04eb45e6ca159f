"""What `import keras_fn` loads, and how the house hangs together."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = ("jax", "torch", "tensorflow", "keras", "h5py", "rich", "sklearn", "pydot", "PIL", "pandas", "scipy")


def modules_after(code: str) -> set[str]:
    """The top-level modules that a fresh Python has loaded after running the code."""
    script = f"import sys, json\n{code}\nprint(json.dumps(sorted({{m.partition('.')[0] for m in sys.modules}})))"
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(json.loads(out.stdout.splitlines()[-1]))


@pytest.mark.parametrize(
    "code",
    [
        "import keras_fn",
        "import keras_fn.utils, keras_fn.datasets",
        "from keras_fn.utils import get_file, pad_sequences, to_categorical, load_img, set_random_seed",
        "from keras_fn.datasets import mnist, cifar10, imdb, digits",
    ],
)
def test_import_loads_no_framework_and_nothing_heavy(code):
    assert modules_after(code).isdisjoint(HEAVY)


def test_the_probe_sees_what_is_loaded():
    assert "sqlite3" in modules_after("import sqlite3")
