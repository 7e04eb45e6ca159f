"""dtype names and the promotion lattice.

A dtype is a string here, the same on every backend. Promotion follows the lattice that JAX publishes
(https://docs.jax.dev/en/latest/type_promotion.html) and Keras adopted: Python scalars are weak, an integer never
widens a float, and int64 with float gives the default float.
"""

from __future__ import annotations

import functools
from typing import Any

from keras_fn.core.errors import DtypeError, closest
from keras_fn.core.reading import constant, remembered
from keras_fn.core.user_settings import user_setting

BOOL = ("bool",)
UNSIGNED = ("uint8", "uint16", "uint32", "uint64")
SIGNED = ("int8", "int16", "int32", "int64")
INTEGERS = UNSIGNED + SIGNED
FLOATS = ("float8_e4m3fn", "float8_e5m2", "bfloat16", "float16", "float32", "float64")
COMPLEX = ("complex64", "complex128")
# the dtype of the real and the imaginary part
PART = {"complex64": "float32", "complex128": "float64"}
ALL = (*BOOL, *INTEGERS, *FLOATS, *COMPLEX, "string")

_PYTHON = {bool: "bool", int: "int32", float: "float32", complex: "complex64", str: "string"}
_ALIASES = {
    "half": "float16", "float": "float32", "double": "float64", "int": "int32", "str": "string", "bool_": "bool",
}  # fmt: skip

# Each dtype (weak scalars are marked by *) and its direct successors in the lattice.
_LATTICE: dict[str, tuple[str, ...]] = {
    "bool": ("i*",),
    "i*": ("uint8", "int8"),
    "uint8": ("int16", "uint16"),
    "uint16": ("int32", "uint32"),
    "uint32": ("int64", "uint64"),
    "uint64": ("f*",),
    "int8": ("int16",),
    "int16": ("int32",),
    "int32": ("int64",),
    "int64": ("f*",),
    "f*": ("bfloat16", "float16", "c*"),
    "float8_e4m3fn": (),  # 8-bit floats mix with nothing: too few numbers for anything to become one by itself
    "float8_e5m2": (),
    "bfloat16": ("float32",),
    "float16": ("float32",),
    "float32": ("float64", "complex64"),
    "float64": ("complex128",),
    "c*": ("complex64",),
    "complex64": ("complex128",),
    "complex128": (),
}
_WEAK = {bool: "bool", int: "i*", float: "f*", complex: "c*"}


def floatx() -> str:
    """The default float dtype: what `keras_fn.config.set_floatx` or keras.json says, else `float32`."""
    return _default_float[0] or _users_float()


_default_float: list[str | None] = [None]
# what was worked out with the default float, and is forgotten when that changes
DEPENDENT: list[dict[Any, Any]] = []


@remembered(maxsize=1)
def _users_float() -> str:
    return user_setting("floatx", "float32", _checked_float)


def set_floatx(value: str) -> None:
    """Sets the default float dtype: 'bfloat16', 'float16', 'float32' or 'float64'."""
    _default_float[0] = _checked_float(value)
    for cache in DEPENDENT:
        cache.clear()


def _checked_float(value: Any) -> str:
    if value not in ("bfloat16", "float16", "float32", "float64"):
        raise DtypeError(f"floatx must be 'bfloat16', 'float16', 'float32' or 'float64', not {value!r}.")
    return value


def standardize(dtype: Any) -> str:
    """The name of a dtype given as a name, a Python type, or a NumPy or framework dtype object."""
    if dtype is None:
        return floatx()
    if isinstance(dtype, str) and dtype in _KNOWN:
        return dtype
    if dtype is float:
        return floatx()
    try:
        return _standardize(dtype)
    except TypeError:  # not hashable
        raise _unknown(dtype) from None


@remembered(maxsize=1024)
def _standardize(dtype: Any) -> str:
    if dtype in _PYTHON:
        return _PYTHON[dtype]
    name = getattr(dtype, "name", None) or (dtype if isinstance(dtype, str) else None)
    if name is None:
        # a class has a name; a framework's object says `package.float32`
        name = getattr(dtype, "__name__", None) or str(dtype).rpartition(".")[2]
    name = _ALIASES.get(str(name), str(name))
    if name.startswith(("str", "<U", "object")):
        name = "string"
    if name not in _KNOWN:
        raise _unknown(dtype)
    return name


_KNOWN = frozenset(ALL)


def _unknown(dtype: Any) -> DtypeError:
    return DtypeError(f"Unknown dtype: {dtype!r}.{closest(str(dtype), ALL)} Known are: {', '.join(ALL)}.")


def is_float(dtype: str) -> bool:
    """Whether the dtype is a (real) floating point type."""
    return dtype in FLOATS


def is_integer(dtype: str) -> bool:
    """Whether the dtype is a signed or unsigned integer type (bool is not)."""
    return dtype in INTEGERS


@functools.cache
def _above(node: str) -> frozenset[str]:
    found, todo = set(), [node]
    while todo:
        n = todo.pop()
        if n not in found:
            found.add(n)
            todo.extend(_LATTICE[n])
    return frozenset(found)


def result_type(*dtypes: Any) -> str:
    """The dtype that values of `dtypes` promote to.

    Args:
        dtypes: dtype names; the Python types `bool`, `int`, `float`, `complex` stand for weak scalars.
    """
    if any(d is None for d in dtypes):  # not `in`: NumPy's float64 is equal to None
        dtypes = tuple([floatx() if d is None else d for d in dtypes])
    lowest = _lowest(*dtypes)
    return floatx() if lowest == "f*" else lowest


_lowest_found: dict[tuple[Any, ...], str] = {}


@constant
def _lowest(*dtypes: Any) -> str:
    """The lowest dtype above all of `dtypes`; f* stands for the default float, whatever that is."""
    found = _lowest_found.get(dtypes)
    if found is None:
        found = _lowest_found[dtypes] = _common(dtypes)
    return found


def _common(dtypes: tuple[Any, ...]) -> str:
    nodes = [_WEAK[d] if d in _WEAK else standardize(d) for d in dtypes]
    if "string" in nodes:
        if set(nodes) == {"string"}:
            return "string"
        raise DtypeError(f"Text and numbers do not mix: {', '.join(map(str, dtypes))}.")
    common = functools.reduce(frozenset.intersection, (_above(n) for n in nodes))
    if not common:
        raise DtypeError(
            f"No implicit promotion for the dtypes {', '.join(map(str, dtypes))}. Cast one of them with `ops.cast`."
        )
    lowest = min(common, key=lambda n: -len(_above(n)))
    return {"i*": "int32", "c*": "complex64"}.get(lowest, lowest)


def at_least_float(dtype: str) -> str:
    """The dtype itself where it is a float or complex type, else the default float."""
    return dtype if dtype in FLOATS or dtype in COMPLEX else floatx()
