"""A layer that is held by another layer: building it below the outer one's path."""

from __future__ import annotations

from typing import Any

from keras_fn.core.spec import Spec


def build_inner(outer: Any, inner: Any, shape: Any) -> None:
    """Builds `inner` for inputs of a shape, unless it is built; its weights' paths begin with that of `outer`."""
    if inner.built:
        return
    inner._kf_path = f"{outer._kf_path}/{inner.name}"
    if inner._kf_facts.builds:
        with inner._kf_named_scope():
            inner.build(shape)
    inner._kf_build_shapes = {"input_shape": shape}
    inner.built = True


def build_lazy_parts(cell: Any, x: Spec, states: Any) -> None:
    """Lets layers inside a cell that are built at their first call make their weights, before any loop is compiled."""
    if any(not layer.built for layer in cell._flatten_layers(include_self=False)):
        cell.compute_output_spec(x, states)
