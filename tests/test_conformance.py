"""The conformance suite on the active backend (its quick part), and that it finds what is wrong."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import sys
import tomllib

import pytest

from keras_fn.core.backend import active, use, using
from keras_fn.core.errors import FileFormatError
from keras_fn.testing import primitives, strict, wrong
from keras_fn.testing.conformance import gaps
from keras_fn.testing.conformance.calls import Mismatch
from keras_fn.testing.conformance.items import GROUPS, Item, items, not_applicable

BACKEND = use(os.environ["KERAS_BACKEND"])
ROOT = pathlib.Path(__file__).parent.parent
QUICK = items(quick=True)
KNOWN = gaps.read(BACKEND)


@pytest.mark.parametrize("item", QUICK, ids=[i.path for i in QUICK])
def test_active_backend(item):
    known = any(g.covers(item.path) for g in KNOWN)
    if not known:
        item.check()
        return
    with pytest.raises((Mismatch, TypeError, ValueError, RuntimeError)):
        item.check()


def test_every_line_of_known_gaps_is_about_an_item():
    assert gaps.stale(KNOWN, [i.path for i in items()]) == []


# --- the suite finds mistakes
# the items that show a mistake, as far as a quick run of the group needs them
SHOWN = {
    "value": "exp/",
    "spec": "sum/",
    "unknown": "transpose/",
    "empty": "sum/",
    "special": "maximum/",
    "edge": "absolute/int32 wraps",
    "dtype": "multiply/",
    "gradient": "sin",
    "second": "sin",
    "compiled": "tanh/",
    "body": "silu/",
    "retrace": "plain",
    "whole": "tanh",
    "state": "",
    "random": "normal/",
}


def of(group: str, quick: bool = False) -> list[Item]:
    start = f"{group}::{SHOWN[group]}"
    return [i for i in items(quick) if i.path.startswith(start)]


def failures(found: list[Item]) -> list[str]:
    failed = []
    for item in found:
        try:
            item.check()
        except Mismatch:
            failed.append(item.path)
    return failed


@pytest.mark.parametrize("group", sorted(wrong.MISTAKES))
def test_wrong_backend_fails(group):
    """What passes on the backend fails on the same one with a mistake."""
    if group in not_applicable() or (group == "body" and "silu" not in BACKEND.kernels):
        assert of(group) == []
        return
    assert not failures(of(group))
    with using(wrong.install(group, BACKEND).name):
        assert failures(of(group))


def test_there_is_a_mistake_for_every_group():
    assert {"sample", *wrong.MISTAKES} == set(GROUPS)


def test_an_op_without_a_sample_fails(monkeypatch):
    from keras_fn.core.spec import REGISTRY

    monkeypatch.setitem(REGISTRY, "brand_new", REGISTRY["exp"])
    (item,) = (i for i in items(quick=True) if i.path == "sample::brand_new")
    with pytest.raises(Mismatch, match="'brand_new' has no sample"):
        item.check()


def test_strict_backend_passes():
    """Composites, samples and checks use nothing that is not promised."""
    with using(strict.install().name):
        found = [i for i in items(quick=True) if i.group in ("value", "empty", "special", "spec", "unknown")]
        assert len(found) > 500
        for item in found:
            item.check()


# --- the list of primitives
def test_primitives_in_the_docs_are_up_to_date():
    text = (ROOT / "docs" / "backends.md").read_text(encoding="utf-8")
    assert primitives.table() in text, "run: python -m keras_fn.testing.primitives docs/backends.md"


# --- known gaps
def test_known_gaps_are_read():
    text = "# words\n\nvalue::add/0 — because\ndtype::*/float16 -- it has none\n"
    first, second = gaps.parse(text)
    assert (first.pattern, first.reason) == ("value::add/0", "because")
    assert second.covers("dtype::erf/float16") and not second.covers("dtype::erf/float16,int8")
    assert gaps.stale([first, second], ["value::add/0"]) == [second]


@pytest.mark.parametrize("line", ["value::add/0", "value::add/0 —", "add — because"])
def test_a_gap_needs_a_group_and_a_reason(line):
    with pytest.raises(FileFormatError, match="line 1"):
        gaps.parse(line)


# --- as a third party runs it
def suite(folder: pathlib.Path, backend: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--pyargs",
        "keras_fn.testing.conformance",
    ]
    command += [f"--keras-fn-backend={backend}", *arguments]
    if "keras_fn.testing.plugin" not in sys.modules:  # an environment that was installed before it was announced
        command[3:3] = ["-p", "keras_fn.testing.plugin"]
    env = os.environ | {"PYTHONPATH": os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])}
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True)


def test_command_prints_a_score(tmp_path):
    out = suite(tmp_path, "numpy", "--keras-fn-quick", "-k", "tanh or state")
    assert out.returncode == 0, out.stdout
    assert "conformance of the keras_fn backend 'numpy'" in out.stdout
    assert "gradient   not applicable: the backend says that it is not differentiable" in out.stdout
    assert "state          8 of 8" in out.stdout


GAPPY = """
from keras_fn_numpy import NumpyBackend

class Gappy(NumpyBackend):
    name = "gappy"

BACKEND = Gappy()
BACKEND.kernels = dict(BACKEND.kernels)
BACKEND.kernels["tanh"] = BACKEND.kernels["sin"]
"""


@pytest.mark.parametrize(
    ("lines", "code", "said"),
    [
        ("value::tanh/* — it is a sine\nempty::tanh/2 — a sine\nspecial::tanh/3 — a sine\n",
         0, "value          0 of 1, 1 known gaps"),
        ("value::tanh/0 — it is a sine\nspec::tanh/0 — no reason at all\n", 1, "XPASS(strict)"),
        ("value::tanh/0 — it is a sine\n", 1, "failed"),
    ],
)  # fmt: skip
def test_known_gaps_of_a_third_party(tmp_path, lines, code, said):
    """A listed gap is no failure; one that passes is, and so is what is not listed."""
    package = tmp_path / "keras_fn_gappy"
    package.mkdir()
    (package / "__init__.py").write_text(GAPPY)
    (package / "known_gaps.txt").write_text(lines)
    info = tmp_path / "keras_fn_gappy-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: keras-fn-gappy\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[keras_fn.backends]\ngappy = keras_fn_gappy\n")
    out = suite(tmp_path, "gappy", "--keras-fn-quick", "-k", "::tanh/ and not dtype")
    assert (out.returncode, said in out.stdout) == (code, True), out.stdout


def test_example_over_the_array_api(tmp_path):
    """The backend of examples/, installed as pip installs it, passes the quick suite; what it lacks is on its list."""
    example = ROOT / "examples" / "backend_array_api"
    project = tomllib.loads((example / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    shutil.copytree(example / "keras_fn_array_api", tmp_path / "keras_fn_array_api")
    info = tmp_path / f"keras_fn_array_api-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    points = project["entry-points"]["keras_fn.backends"].items()
    (info / "entry_points.txt").write_text("\n".join(["[keras_fn.backends]", *(f"{n} = {m}" for n, m in points)]))
    out = suite(tmp_path, "array_api", "--keras-fn-quick")
    assert out.returncode == 0, out.stdout[-4000:]
    assert "conformance of the keras_fn backend 'array_api'" in out.stdout
    lines = [len(f.read_text(encoding="utf-8").splitlines()) for f in (example / "keras_fn_array_api").glob("*.py")]
    assert sum(lines) < 500


def test_active_backend_is_still_active():
    assert active.backend is BACKEND
