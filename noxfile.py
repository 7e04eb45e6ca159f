"""Everything that CI runs: `nox`. One session: `nox -s "tests(jax)"`; or `nox -s "tests(jax)" -- -k conv`."""

from __future__ import annotations

import nox

CONSTRAINTS = ("-c", "constraints.txt")
BACKENDS = ("numpy", "jax", "torch", "tensorflow")
# what a backend needs beside the package itself
EXTRAS = {"numpy": "test", "jax": "jax,test", "torch": "torch,test", "tensorflow": "tensorflow,test"}

nox.needs_version = ">=2024.10"
nox.options.default_venv_backend = "venv"
nox.options.reuse_venv = "no"
nox.options.stop_on_first_error = False
nox.options.sessions = ["lint", "imports", "types", "tests", "parity"]


def _pytest(session: nox.Session, backend: str, *arguments: str) -> None:
    session.run("pytest", "-q", *arguments, env={"KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"})


@nox.session
def lint(session: nox.Session) -> None:
    """Style, and a good part of the mistakes."""
    session.install(*CONSTRAINTS, "ruff")
    session.run("ruff", "check", ".")


@nox.session
def imports(session: nox.Session) -> None:
    """Who imports whom."""
    session.install(*CONSTRAINTS, "import-linter", ".")
    session.run("lint-imports")


@nox.session
def types(session: nox.Session) -> None:
    """Types. The extra of pyright brings Node.js as a wheel, so that nothing is fetched while it runs."""
    session.install(*CONSTRAINTS, "pyright[nodejs]", "-e", ".[cpu,test]")
    session.run("pyright", *session.posargs)


@nox.session
@nox.parametrize("backend", BACKENDS, ids=BACKENDS)
def tests(session: nox.Session, backend: str) -> None:
    """All tests and the examples in docstrings on one backend, in an environment that holds no other framework."""
    session.install(*CONSTRAINTS, f".[{EXTRAS[backend]}]")
    if session.posargs:
        _pytest(session, backend, *session.posargs)
        return
    _pytest(session, backend, "tests/core")  # seconds, and most other failures would follow from one here
    _pytest(session, backend, "-n", "2", "tests", "--ignore=tests/core", "--ignore=tests/parity")


@nox.session
def kills(session: nox.Session) -> None:
    """Kills saving processes at random moments, after which a whole file must be there: `nox -s kills -- 1000`."""
    session.install(*CONSTRAINTS, ".[test]")
    session.run("python", "tests/killing.py", *(session.posargs or ("1000",)), env={"KERAS_BACKEND": "numpy"})


@nox.session
@nox.parametrize("backend", BACKENDS[1:], ids=BACKENDS[1:])
def resume(session: nox.Session, backend: str) -> None:
    """Kills training at random moments, after which it must end with the bits of a run that nobody killed."""
    session.install(*CONSTRAINTS, f".[{EXTRAS[backend]}]")
    environment = {"KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
    session.run("python", "tests/killing_training.py", *(session.posargs or ("20",)), env=environment)


@nox.session
def parity(session: nox.Session) -> None:
    """Against real Keras: the same configs, weights, outputs, gradients and files."""
    session.install(*CONSTRAINTS, ".[parity]")
    for backend in BACKENDS:
        _pytest(session, backend, *(session.posargs or ("-n", "2", "tests/parity")))


@nox.session
@nox.parametrize("backend", BACKENDS, ids=BACKENDS)
def conformance(session: nox.Session, backend: str) -> None:
    """The whole conformance suite on one backend, as a third party runs it; tests take the quick part of it."""
    session.install(*CONSTRAINTS, f".[{EXTRAS[backend]}]")
    with session.chdir(session.create_tmp()):
        chosen = ("--pyargs", "keras_fn.testing.conformance", f"--keras-fn-backend={backend}")
        # neighbours go to one worker: they run the same programs, which are compiled once there
        _pytest(session, backend, *chosen, "-n", "2", "--dist", "worksteal", *session.posargs)


@nox.session
@nox.parametrize("backend", BACKENDS[1:], ids=BACKENDS[1:])
def guides(session: nox.Session, backend: str) -> None:
    """The code of the functional API's guides. Takes the path of the program that runs them."""
    if not session.posargs:
        session.error("say which program runs the guides: nox -s guides -- path/to/run_guides.py [guide ...]")
    session.install(*CONSTRAINTS, f".[{EXTRAS[backend]}]")
    session.run("python", *session.posargs, env={"KERAS_BACKEND": backend})


@nox.session
def fuzz(session: nox.Session) -> None:
    """Damaged files by the million: `nox -s fuzz`, or `nox -s fuzz -- 20000 --kind weights --first 7`."""
    session.install(*CONSTRAINTS, f".[{EXTRAS['numpy']}]")
    arguments = session.posargs or ["1000000"]
    session.run("python", "-m", "fuzz", *arguments, env={"KERAS_BACKEND": "numpy", "PYTHONPATH": "tests"})


@nox.session
@nox.parametrize("backend", BACKENDS, ids=BACKENDS)
def bench(session: nox.Session, backend: str) -> None:
    """Benchmarks on one backend. Numbers are for reading; nothing fails on them."""
    session.install(*CONSTRAINTS, f".[{EXTRAS[backend]}]", "keras==3.15.1")
    session.run("python", "-m", "benchmarks", *session.posargs, env={"KERAS_BACKEND": backend})


@nox.session
@nox.parametrize("backend", BACKENDS, ids=BACKENDS)
def bench_ops(session: nox.Session, backend: str) -> None:
    """Benchmarks of single ops on one backend: `nox -s "bench_ops(jax)" -- --rounds 8`."""
    session.install(*CONSTRAINTS, f".[{EXTRAS[backend]}]", "keras==3.15.1")
    session.run("python", "-m", "benchmarks.ops", *session.posargs, env={"KERAS_BACKEND": backend})
