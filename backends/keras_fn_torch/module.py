"""Variables and layers as torch knows them: parameters, buffers and modules."""

from __future__ import annotations

from typing import Any

import torch

from keras_fn.core.version import structure


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


class Cells(dict[str, Any]):
    """The tensors of variables by name; a tensor put in takes the place of the variable's."""

    def __init__(self, variables: dict[str, Any]) -> None:
        super().__init__({name: v._cell for name, v in variables.items()})
        self.variables = variables

    def __setitem__(self, name: str, tensor: Any) -> None:
        super().__setitem__(name, tensor)
        if name in self.variables:
            self.variables[name]._cell = tensor
            structure.bump()


class TorchLayer(torch.nn.Module):
    """A Layer is a torch.nn.Module: weights are parameters, state is buffers, sublayers are modules.

    torch's tables are worked out from the layer's attributes when torch asks for them, so that a call of a layer pays
    nothing for them and lists that grow later are seen.
    """

    def _init_framework(self) -> None:
        torch.nn.Module.__init__(self)

    def _named(self, parameters: bool) -> dict[str, Any]:
        if "_kf_variables" not in self.__dict__:
            return {}
        found: dict[str, Any] = {}
        for i, v in enumerate(self._kf_own()):  # type: ignore[attr-defined]
            if isinstance(v._cell, torch.nn.Parameter) is parameters:
                name = v.name if v.name != "variable" else f"variable_{i}"
                name = name.replace(".", "_")
                found[name if name not in found else f"{name}_{i}"] = v
        return found

    @property
    def _parameters(self) -> Any:
        cells = Cells(self._named(parameters=True))
        for name, value in self.__dict__.items():
            if isinstance(value, torch.nn.Parameter):
                dict.__setitem__(cells, name, value)
        return cells

    @_parameters.setter
    def _parameters(self, value: Any) -> None:
        """torch.nn.Module.__init__ makes tables that are not needed."""

    @property
    def _buffers(self) -> Any:
        return Cells(self._named(parameters=False))

    @_buffers.setter
    def _buffers(self, value: Any) -> None:
        """As for `_parameters`."""

    @property
    def _modules(self) -> dict[str, Any]:
        if "_kf_variables" not in self.__dict__:
            return {}
        found = {
            name.replace(".", "_"): module
            for name, module in self._kf_held((torch.nn.Module,))  # type: ignore[attr-defined]
            if module is not self and not isinstance(module, TorchLayer)
        }
        for layer in self._kf_sublayers():  # type: ignore[attr-defined]
            found[layer.name.replace(".", "_")] = layer
        return found

    @_modules.setter
    def _modules(self, value: Any) -> None:
        """As for `_parameters`."""

    def __getattr__(self, name: str) -> Any:
        # torch asks here also where a property of ours raised an AttributeError: that one is what the user must read
        found = getattr(type(self), name, None)
        if isinstance(found, property) and found.fget is not None:
            return found.fget(self)
        return torch.nn.Module.__getattr__(self, name)

    # attributes stay what they were: nothing is looked at, and no frame of Python comes between
    __setattr__ = object.__setattr__  # pyright: ignore[reportAssignmentType]
    __delattr__ = object.__delattr__  # pyright: ignore[reportAssignmentType]

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What torch calls the layer's computation."""
        return self.call(*args, **kwargs)  # type: ignore[attr-defined]

    def _framework_hooked(self) -> bool:
        """Whether somebody looks at the calls of this layer alone."""
        return bool(
            self._forward_hooks or self._forward_pre_hooks or self._backward_hooks or self._backward_pre_hooks
        )

    def register_forward_hook(self, *args: Any, **kwargs: Any) -> Any:
        """As torch's: plans that run past the layer's calls are given up."""
        structure.bump()
        return super().register_forward_hook(*args, **kwargs)

    def register_forward_pre_hook(self, *args: Any, **kwargs: Any) -> Any:
        """As `register_forward_hook`."""
        structure.bump()
        return super().register_forward_pre_hook(*args, **kwargs)

    def register_full_backward_hook(self, *args: Any, **kwargs: Any) -> Any:
        """As `register_forward_hook`."""
        structure.bump()
        return super().register_full_backward_hook(*args, **kwargs)

    def register_full_backward_pre_hook(self, *args: Any, **kwargs: Any) -> Any:
        """As `register_forward_hook`."""
        structure.bump()
        return super().register_full_backward_pre_hook(*args, **kwargs)

    def register_backward_hook(self, *args: Any, **kwargs: Any) -> Any:
        """As `register_forward_hook`."""
        structure.bump()
        return super().register_backward_hook(*args, **kwargs)

    def _apply(self, *args: Any, **kwargs: Any) -> Any:
        structure.bump()  # `to`, `cuda`, `half`: constants of plans stay where they are
        return super()._apply(*args, **kwargs)

    def _framework_call(self, *args: Any, **kwargs: Any) -> Any:
        if self._framework_hooked():
            return torch.nn.Module._call_impl(self, *args, **kwargs)
        return self.call(*args, **kwargs)  # type: ignore[attr-defined]

    def train(self, mode: bool = True) -> Any:
        """Sets torch's training flag, which calls without a `training` argument follow from then on."""
        if self.__dict__["_kf_mode"] is not mode:
            structure.bump()
        self.__dict__["training"] = self.__dict__["_kf_mode"] = mode
        for module in self._modules.values():
            module.train(mode)
        return self



