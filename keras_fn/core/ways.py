"""The short ways of an op: what its dtype rule decided, remembered for the next call on operands of the same kinds.

The rule looks at the dtypes of tensors and at the classes of Python numbers, and at nothing else. So its decision
(which operands are cast, which numbers become tensors of what dtype) and the kernel that it leads to hold for every
call on operands of the same dtypes and classes. What depends on the value of a number (whether it fits into a dtype)
is looked at in each call, by the backend's `constant`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import NoneType
from typing import Any

import numpy as np

from keras_fn.core import dtypes
from keras_fn.core.variable import Variable

Function = Callable[..., Any]
# what the rule asks for: which operand, "cast", "convert" or "whole", to what dtype
Change = tuple[int, str, str | None]
# classes of arguments in the place of a tensor that stand for themselves in a key
_PLAIN = frozenset((int, float, bool, NoneType))
# operands of a call that is remembered
_LONGEST = 64


class ByDtype:
    """A kernel that is another function for some operands. Short ways lead straight to the one for theirs.

    Args:
        usual: the function for all others.
        others: the framework's dtypes of the first tensor, and their functions.
        numbers: the function where a Python number is among the operands, if that is another one.
    """

    __slots__ = ("numbers", "others", "usual")

    def __init__(self, usual: Function, others: dict[Any, Function], numbers: Function | None = None) -> None:
        self.usual, self.others, self.numbers = usual, others, numbers

    def __call__(self, *values: Any) -> Any:
        return self.of(values)(*values)

    def of(self, values: Sequence[Any]) -> Function:
        """The function for these operands."""
        if self.numbers is not None and any(x.__class__ in _PLAIN for x in values):
            return self.numbers
        for x in values:
            if hasattr(x, "dtype"):
                return self.others.get(x.dtype, self.usual)
        return self.usual


class Ways:
    """The short ways of one op.

    Args:
        name: of the op.
        tensors: the places of the tensors among the parameters, and whether one takes a list of them.
        count: of the parameters.

    Attributes:
        alike: backend -> dtype -> function of all arguments, where every parameter is a tensor, or the first one is the
            only one; for tensors of one dtype.
        beside: class of a number -> backend -> dtype of a tensor -> function of the two.
        others: backend -> dtypes and classes -> (kernel, changes) for all other calls.
    """

    def __init__(self, name: str, tensors: tuple[tuple[int, bool], ...], count: int) -> None:
        self.name = name
        self.tensors = tensors
        single = [place for place, many in tensors if not many]
        self.arity = count if single == list(range(count)) and count <= 3 else 0
        self.leads = not self.arity and tensors == ((0, False),)
        self.alike: dict[Any, dict[Any, Function]] = {}
        self.beside: dict[type, dict[Any, dict[Any, Function]]] = {int: {}, float: {}}
        self.others: dict[Any, dict[Any, tuple[Function, list[Any]]]] = {}
        # what a number beside an integer becomes is the default float, at times
        dtypes.DEPENDENT.extend((self.alike, self.others, *self.beside.values()))

    def find(self, backend: Any, values: list[Any]) -> tuple[Function, list[Any]] | None:
        """The kernel for a call with these arguments, and what it takes; None where no such call was remembered."""
        table = self.others.get(backend)
        if table is None:
            return None
        found = self._seen(backend, values)
        if found is None:
            return None
        key, operands = found
        way = table.get(tuple(key))
        if way is None:
            return None
        kernel, steps = way
        for place, change, to in steps:
            operands[place] = change(operands[place], to)
        return kernel, operands if self.arity and len(operands) == self.arity else self._filled(values, operands)

    def _filled(self, values: list[Any], operands: list[Any]) -> list[Any]:
        """The arguments with these operands."""
        values = values.copy()
        start = 0
        for i, many in self.tensors:
            if many:
                stop = start + len(values[i])
                values[i] = operands[start:stop]
                start = stop
            elif values[i] is not None:
                values[i] = operands[start]
                start += 1
        return values

    def _seen(self, backend: Any, values: list[Any]) -> tuple[list[Any], list[Any]] | None:
        """The key of a call, and its operands without variables and arrays; None where it is not for a short way."""
        key: list[Any] = []
        operands: list[Any] = []
        classes = backend.tensor_classes
        arrays = False
        for i, many in self.tensors:
            value = values[i]
            if not many:
                value = (value,)
            elif value.__class__ is not list and value.__class__ is not tuple:
                return None
            for x in value:
                kind = x.__class__
                if kind in classes:
                    key.append(x.dtype)
                elif kind in _PLAIN:
                    key.append(kind)
                    if x is None:
                        continue
                elif kind is np.ndarray:
                    key.append(kind)
                    arrays = True
                elif isinstance(x, Variable):
                    x = x.value
                    if x.__class__ not in classes:
                        return None
                    key.append(x.dtype)
                else:
                    return None
                operands.append(x)
        return self._converted(backend, key, operands) if arrays else (key, operands)

    def _converted(self, backend: Any, key: list[Any], operands: list[Any]) -> tuple[list[Any], list[Any]] | None:
        """The same with tensors for NumPy's arrays."""
        given = iter(operands)
        operands = []
        for i, token in enumerate(key):
            if token is NoneType:
                continue
            x = next(given)
            if token is np.ndarray:
                x = backend.convert(x, None)
                if x.__class__ not in backend.tensor_classes:
                    return None
                key[i] = x.dtype
            operands.append(x)
        return key, operands

    def remember(
        self, backend: Any, kernel: Function, values: list[Any], changed: list[Any], changes: list[Change]
    ) -> None:
        """Keeps the way of a call that went well.

        Args:
            backend: the active one.
            kernel: what was called.
            values: all arguments, with tensors in the place of variables and arrays.
            changed: the operands that the kernel got.
            changes: what had been done to them.
        """
        if not backend.eager():  # torch.compile would guard the table, and find it changed
            return
        found = self._seen(backend, values)
        if found is None:
            return
        key, operands = found
        if len(key) > _LONGEST or (len(operands) == 1 and operands[0].__class__ in _PLAIN):
            return  # a number alone becomes a tensor, which the op may give back as it is
        if isinstance(kernel, ByDtype):
            kernel = kernel.of(changed)
        how = {"cast": backend.cast, "convert": backend.constant, "whole": _whole}
        steps = [(place, how[name], to) for place, name, to in changes]
        if changes and len(key) == self.arity and all(name == "cast" for _, name, _ in changes):
            targets = {place: to for place, _, to in changes}
            whole = backend.casting(self.name, kernel, operands, [targets.get(i) for i in range(len(key))])
            if whole is not None:
                kernel, steps = whole, []
        self.others.setdefault(backend, {})[tuple(key)] = kernel, steps
        if not operands or operands[0].__class__ not in backend.tensor_classes:
            return
        if (len(key) == self.arity or self.leads) and all(token is key[0] for token in key):
            self.alike.setdefault(backend, {})[key[0]] = _changing(kernel, steps)
        elif self.arity == 2 and key[1] in self.beside:
            self.beside[key[1]].setdefault(backend, {})[key[0]] = _changing(kernel, steps)
            self.alike.setdefault(backend, {})

    def forget(self, backend: Any) -> None:
        """Looks for kernels anew: those of the backend are others from now on."""
        for table in (self.alike, self.others, *self.beside.values()):
            table.pop(backend, None)


def _changing(kernel: Function, steps: list[Any]) -> Function:
    """A kernel after changes of its first arguments."""
    if not steps:
        return kernel
    if len(steps) == 1 and steps[0][0] == 0:
        _, change, to = steps[0]
        return lambda x, *rest: kernel(change(x, to), *rest)

    def changing(*values: Any) -> Any:
        changed = list(values)
        for place, change, to in steps:
            changed[place] = change(changed[place], to)
        return kernel(*changed)

    return changing


def _whole(x: bool, to: Any) -> int:
    """Not every framework takes True beside a number."""
    return int(x)
