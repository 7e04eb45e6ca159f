"""What an eager op costs over the framework's own call, in microseconds.

KERAS_BACKEND=torch python -m benchmarks.probes.dispatch_cost
"""

import statistics
import timeit

from keras_fn import ops
from keras_fn.core.backend import active

OWN = {
    "numpy": ("numpy", "add", "matmul", "exp"),
    "jax": ("jax.numpy", "add", "matmul", "exp"),
    "torch": ("torch", "add", "matmul", "exp"),
    "tensorflow": ("tensorflow", "add", "matmul", "exp"),
}


def per_call(fn, n=20_000):
    return timeit.timeit(fn, number=n) / n * 1e6


def main():
    import importlib

    module, *names = OWN[active.backend.name]
    raw = importlib.import_module(module)
    x = ops.ones((1, 1))
    for name in names:
        args = (x,) if name == "exp" else (x, x)
        ours, own = getattr(ops, name), getattr(raw, name)
        ours(*args), own(*args)
        pairs = [(per_call(lambda: ours(*args)), per_call(lambda: own(*args))) for _ in range(7)]  # noqa: B023
        a, b = (statistics.median(p) for p in zip(*pairs, strict=True))
        name_of = f"{active.backend.name:11} {name:7}"
        print(f"{name_of} ours {a:6.2f} us  own {b:6.2f} us  over {a - b:5.2f} us  ratio {a / b:.2f}")


if __name__ == "__main__":
    main()
