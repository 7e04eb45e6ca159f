"""Before the first step: weights, optimizer and metrics are made, and the data is checked on the host."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_fn.core import dtypes, trees
from keras_fn.core.backend import active
from keras_fn.core.spec import Spec
from keras_fn.core.version import structure
from keras_fn.trainer.data import ArraySource
from keras_fn.trainer.programs import is_default

# rows of the data that a model is run on where its outputs cannot be told from shapes
FEW_ROWS = 32


def build_for(model: Any, batch: Any, training: bool, targets: bool = True) -> None:
    """Makes what is not there yet, from the shapes of a batch; nothing is computed."""
    ready = model._kf_cache.get(("built", training))
    if ready == structure.value:
        return
    x, y, _ = (*batch, None, None)[:3] if isinstance(batch, tuple) else (batch, None, None)
    x_spec, y_spec = to_specs(x), to_specs(y)
    needs_outputs = targets and (
        (model._kf_loss is not None and model._kf_loss.losses is None)
        or (model._kf_metrics is not None and not model._kf_metrics.built)
    )
    if _has_its_own_ways(model, training):
        # its step decides what is called on what: `call` need not take the data (a GAN), nor be there
        model.built = True
        needs_outputs = needs_outputs and _watches_outputs(model)
    if not model.built or needs_outputs:
        y_pred = output_specs(model, x_spec, x)
        if needs_outputs and y is not None:
            if model._kf_loss is not None and model._kf_loss.losses is None:
                model._kf_loss.build(y_pred)
            if model._kf_metrics is not None and not model._kf_metrics.built:
                model._kf_metrics.build(y_spec, y_pred)
    if training and model.optimizer is not None and not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    if all(model._kf_cache.get(("built", kind)) != structure.value for kind in (False, True)):
        model._kf_cache.clear()
    model._kf_cache["built", training] = structure.value


def _has_its_own_ways(model: Any, training: bool) -> bool:
    """Whether the model overrides its step, and all its layers are built already."""
    if is_default(model, "train" if training else "test"):
        return False
    return model.built or all(layer.built for layer in model._flatten_layers(include_self=False))


def _watches_outputs(model: Any) -> bool:
    given = model._kf_metrics
    return model._kf_loss is not None or (given is not None and bool(given.given or given.weighted_given))


def output_specs(model: Any, x_spec: Any, x: Any) -> Any:
    """The specs of the outputs; by running the model on the batch where its code needs values."""
    known = described_outputs(model)
    if known is not None:
        return known
    try:
        return model.compute_output_spec(x_spec)
    except NotImplementedError:
        raise
    except Exception as error:
        if model._kf_facts.own_spec:
            raise
        # code that looks at values: run it, and let the error of a real run win if there is one
        backend = active.backend
        with backend.inference():
            few = trees.map(lambda a: None if a is None else backend.convert(a[:FEW_ROWS], None), x)
            out = model(few, training=False)
        if out is None:
            raise error
        return trees.map(lambda t: Spec(tuple(t.shape), backend.dtype_of(t)), out)


def described_outputs(model: Any) -> Any:
    """The outputs that a graph of layers was described with; None for a model that computes in its own way."""
    graph = getattr(model, "_kf_functional", None) or model
    function = getattr(graph, "_function", None)
    if function is None or not model._kf_calls_its_graph:
        return None
    return trees.map(lambda x: x.spec(), graph.output)


def to_specs(data: Any) -> Any:
    """Specs of arrays, with an unknown batch axis."""

    def spec(a: Any) -> Any:
        if a is None:
            return None
        sparse = a.__class__ in active.backend.sparse_classes
        return Spec((None, *tuple(a.shape)[1:]), dtypes.standardize(a.dtype), sparse)

    return trees.map(spec, data)


# --- checks on the host
def check_source(model: Any, source: Any, targets: bool = True) -> None:
    """Checks arrays in memory once, before the first step. Batches of an iterable are checked as they come."""
    if isinstance(source, ArraySource):
        check_batch(model, source.data, targets)


def check_batch(model: Any, batch: Any, targets: bool = True) -> None:
    """Ids against embeddings, and targets against losses, for what lies in the host's memory."""
    x = batch[0]
    check_ids(model, x)
    if not targets or len(batch) < 2 or batch[1] is None or model._kf_loss is None:
        return
    y = batch[1]
    if y.__class__ is not np.ndarray:
        y = trees.map(_on_host, y)
        if not all(isinstance(a, np.ndarray) for a in trees.flatten(y)):
            return
    shapes = model._kf_cached("output specs", lambda: _output_shapes(model, x))
    if shapes is not None:
        model._kf_loss.check(y, shapes)


def _output_shapes(model: Any, x: Any) -> Any:
    return output_specs(model, to_specs(x), x)


def _on_host(x: Any) -> Any:
    """The values as a NumPy array where they need no fetching; else x itself."""
    if isinstance(x, np.ndarray) or not active.backend.is_tensor(x):
        return x
    view = active.backend.host_view(x)
    return x if view is None else view


def check_ids(model: Any, x: Any) -> None:
    """Ids that go straight from an input into an embedding must lie inside its table."""
    alone, embeddings = model._kf_cached("embeddings", lambda: _embeddings(model))
    if embeddings is None or (alone and not embeddings and x.__class__ is np.ndarray):
        return
    flat = _flat_inputs(model, x)
    for place, layer in embeddings:
        if place < len(flat):
            ids = _on_host(flat[place])
            if isinstance(ids, np.ndarray):
                layer.check_ids(ids)


def _flat_inputs(model: Any, x: Any) -> list[Any]:
    match = getattr(model, "_by_name", None)
    return match(x) if match is not None else trees.flatten(x)


def _embeddings(model: Any) -> tuple[bool, list[tuple[int, Any]] | None]:
    """Whether there is one input, and the embeddings that read inputs, with the places of these among the inputs.

    None in the place of embeddings stands for a model without a graph.
    """
    function = getattr(model, "_function", None) or getattr(getattr(model, "_kf_functional", None), "_function", None)
    if function is None:
        return False, None
    places = {symbol.name: place for place, symbol in enumerate(function.inputs)}
    found = []
    for node in function.nodes:
        if hasattr(node.operation, "check_ids"):
            for x in node.inputs:
                if x._node is not None and x._node.is_input and x._node.operation.name in places:
                    found.append((places[x._node.operation.name], node.operation))
    return len(function.inputs) == 1, found
