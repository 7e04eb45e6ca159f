"""Variables and layers as torch knows them: parameters, buffers and modules."""

from __future__ import annotations

from typing import Any

import torch


class TorchVariable:
    """Any torch function takes a Variable in the place of a tensor."""

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        def plain(x: Any) -> Any:
            if isinstance(x, TorchVariable):
                return x.value  # type: ignore[attr-defined]
            if isinstance(x, (list, tuple)):
                return type(x)(plain(e) for e in x)
            return x

        return func(*plain(tuple(args)), **{k: plain(v) for k, v in (kwargs or {}).items()})


class TorchLayer(torch.nn.Module):
    """A Layer is a torch.nn.Module: weights are parameters, state is buffers, sublayers are modules."""

    def __init__(self) -> None:
        torch.nn.Module.__init__(self)

    def _init_framework(self) -> None:
        torch.nn.Module.__init__(self)

    def _framework_variable(self, name: str, variable: Any) -> None:
        cell = variable._cell
        name = name.replace(".", "_")
        if isinstance(cell, torch.nn.Parameter):
            self._parameters[name] = cell
        else:
            self._buffers[name] = cell

    def _framework_layer(self, name: str, layer: Any) -> None:
        self._modules[name.replace(".", "_")] = layer

    def _framework_forget(self, name: str) -> None:
        for table in (self._parameters, self._buffers, self._modules):
            table.pop(name, None)

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, torch.nn.Module) or isinstance(value, torch.nn.Parameter):
            torch.nn.Module.__setattr__(self, name, value)
        else:
            object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        if name in self.__dict__:
            object.__delattr__(self, name)
        else:
            torch.nn.Module.__delattr__(self, name)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What torch calls the layer's computation."""
        return self.call(*args, **kwargs)  # type: ignore[attr-defined]
