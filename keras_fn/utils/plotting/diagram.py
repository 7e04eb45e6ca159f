"""What a picture of a model shows, before anybody decides where: boxes, arrows, and frames around nested models."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from keras_fn.core.errors import ArgumentError, NotBuiltError
from keras_fn.utils.inspection import (
    View,
    activation_name,
    class_name,
    dtypes_text,
    graph_of,
    input_specs,
    is_code,
    is_model,
    output_specs,
    shapes_text,
)

RANKDIRS = ("TB", "BT", "LR", "RL")


@dataclass(frozen=True)
class Cell:
    """One fact in a box: "Output shape: (None, 10)"; a cell without a label is a coloured mark."""

    value: str
    label: str = ""
    colour: str = ""


@dataclass(eq=False)
class Box:
    """A layer, an op, or a model that is shown as one.

    Attributes:
        name, kind: what the heading says; without a name the class alone.
        rows: the facts below the heading.
    """

    name: str
    kind: str
    rows: list[list[Cell]] = field(default_factory=list)


@dataclass(eq=False)
class Frame:
    """A model with what is inside it.

    Attributes:
        name: the frame's title.
        parts: boxes, and frames of models inside, in the order of the graph.
        edges: arrows between boxes directly or deeper inside.
        entries, exits: the boxes that the model's inputs go to and its outputs come from.
    """

    name: str
    parts: list[Box | Frame] = field(default_factory=list)
    edges: list[tuple[Box, Box]] = field(default_factory=list)
    entries: list[Box] = field(default_factory=list)
    exits: list[Box] = field(default_factory=list)

    def boxes(self) -> Iterator[Box]:
        """Every box, also those in frames inside."""
        for part in self.parts:
            if isinstance(part, Frame):
                yield from part.boxes()
            else:
                yield part


@dataclass(frozen=True)
class Options:
    """What the boxes tell; see `plot_model`."""

    show_shapes: bool = False
    show_dtype: bool = False
    show_layer_names: bool = True
    expand_nested: bool = False
    show_layer_activations: bool = False
    show_trainable: bool = False


def check_rankdir(rankdir: str) -> None:
    """Raises ArgumentError for an unknown direction."""
    if rankdir not in RANKDIRS:
        raise ArgumentError(f"`rankdir` must be one of {', '.join(RANKDIRS)}, not {rankdir!r}.")


def diagram_of(model: Any, options: Options) -> Frame:
    """The boxes and arrows of a model.

    Raises:
        NotBuiltError: for a Sequential that does not know its input's shape, or a subclass without weights.
    """
    if not is_model(model):
        raise ArgumentError(f"A model is needed to make a picture of, and {type(model).__name__} came.")
    view = graph_of(model)
    if view is not None:
        return _frame(model, view, options)
    if not is_code(model) or not model.built:
        raise NotBuiltError(
            f"The model {model.name!r} is not built, so there is nothing to draw yet. Call it on data, or "
            "`build(input_shape)`, or begin a Sequential with an `Input(shape=…)`."
        )
    return Frame(model.name, [_box(model, None, options)])


def _frame(model: Any, view: View, options: Options) -> Frame:
    frame = Frame(model.name)
    made: dict[int, Box | Frame] = {}
    hidden = set()  # the input of a Sequential, which its layers do not list
    for operation in view.function.operations:
        if hasattr(model, "_kf_functional") and not view.calls(operation)[0].inputs:
            hidden.add(id(operation))
            continue
        inner = graph_of(operation) if options.expand_nested and is_model(operation) else None
        part = _box(operation, view, options) if inner is None else _frame(operation, inner, options)
        made[id(operation)] = part
        frame.parts.append(part)
    seen = set()
    for node in view.function.nodes:
        for place, symbol in enumerate(node.inputs):
            target = _entry(made[id(node.operation)], place)
            if id(symbol._node.operation) in hidden:
                frame.entries.append(target)
                continue
            source = _exit(made[id(symbol._node.operation)], symbol._index)
            if (id(source), id(target)) not in seen:
                seen.add((id(source), id(target)))
                frame.edges.append((source, target))
    if not hidden:
        frame.entries = [_entry(made[id(x._node.operation)], 0) for x in view.function.inputs]
    frame.exits = [
        _exit(made[id(x._node.operation)], x._index)
        for x in view.function.outputs
        if id(x._node.operation) not in hidden
    ]
    return frame


def _entry(part: Box | Frame, place: int) -> Box:
    return part if isinstance(part, Box) else part.entries[min(place, len(part.entries) - 1)]


def _exit(part: Box | Frame, place: int) -> Box:
    return part if isinstance(part, Box) else part.exits[min(place, len(part.exits) - 1)]


def _box(operation: Any, view: View | None, options: Options) -> Box:
    kind = class_name(operation)
    box = Box(operation.name if options.show_layer_names else "", kind)
    activation = activation_name(operation) if options.show_layer_activations else None
    if activation:
        box.rows.append([Cell(activation, "Activation")])
    facts = []
    sources, results = input_specs(operation, view), output_specs(operation, view)
    is_input = view is not None and not sources
    if options.show_shapes:
        if not is_input:
            facts.append(Cell(shapes_text(sources), "Input shape"))
        facts.append(Cell(shapes_text(results), "Output shape"))
    if options.show_dtype:
        facts.append(Cell(dtypes_text(results), "Output dtype"))
    if options.show_trainable and getattr(operation, "weights", None):
        on = operation.trainable
        facts.append(Cell("Trainable" if on else "Non-trainable", colour="#228b22" if on else "#b22222"))
    if facts:
        box.rows.append(facts)
    return box
