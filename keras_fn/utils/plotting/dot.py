"""Models in the DOT language of Graphviz."""

from __future__ import annotations

from html import escape
from itertools import count
from typing import TYPE_CHECKING, Any

from keras_fn.core.errors import ArgumentError, MissingPackageError
from keras_fn.utils.plotting.diagram import Box, Cell, Frame, Options, check_rankdir, diagram_of

if TYPE_CHECKING:
    import pydot


def model_to_dot(
    model: Any,
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = True,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 200,
    subgraph: bool = False,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    splines: str = "ortho",
    **kwargs: Any,
) -> pydot.Dot | pydot.Subgraph:
    """A model as a pydot graph; its `to_string()` is DOT text. The `dot` program is not needed.

    Args:
        model: a functional or built Sequential model; a subclass becomes one box.
        show_shapes: tell input and output shapes.
        show_dtype: tell the dtypes of the outputs.
        show_layer_names: names of the layers beside their classes.
        rankdir: where the graph goes: "TB" (down), "BT", "LR" (to the right) or "RL".
        expand_nested: show models inside the model as frames with their layers.
        dpi: pixels an inch.
        subgraph: give a `pydot.Subgraph` (a cluster), to put into a graph of your own.
        show_layer_activations: tell the activation functions.
        show_trainable: mark layers as trainable or not.
        splines: Graphviz's way to draw arrows: "ortho", "curved", "polyline", …

    Raises:
        ImportError: where pydot is not installed.
        NotBuiltError: where the model does not know its shapes yet.

    Example:
        >>> import keras_fn
        >>> x = keras_fn.Input((3,))
        >>> dot = model_to_dot(keras_fn.Model(x, keras_fn.layers.Dense(2)(x)))
        >>> len(dot.get_edges())
        1
    """
    check_rankdir(rankdir)
    no_more(kwargs)
    options = Options(
        show_shapes, show_dtype, show_layer_names, expand_nested, show_layer_activations, show_trainable
    )
    diagram = diagram_of(model, options)
    names = {id(box): f"n{i}" for i, box in enumerate(diagram.boxes())}
    numbers = count()
    if subgraph:
        return _fill(_cluster(diagram, numbers), diagram, names, numbers)
    graph = _pydot().Dot(
        "model", graph_type="digraph", rankdir=rankdir, concentrate="true", dpi=str(dpi), splines=splines
    )
    graph.set_node_defaults(shape="plain", fontname="Helvetica")
    return _fill(graph, diagram, names, numbers)


def no_more(kwargs: dict[str, Any]) -> None:
    """Raises for arguments that nobody knows; `layer_range` of older Keras is one of them."""
    if kwargs:
        raise ArgumentError(f"Unknown arguments: {', '.join(map(repr, kwargs))}.")


def _pydot() -> Any:
    try:
        import pydot
    except ImportError as e:
        raise MissingPackageError(
            "DOT graphs need pydot: `pip install pydot` (or `pip install 'keras-fn[plot]'`)."
        ) from e
    return pydot


def _cluster(frame: Frame, numbers: Any) -> Any:
    # frames may share a name, clusters may not
    return _pydot().Cluster(
        f"{next(numbers)}_{frame.name}", label=frame.name, style="dashed", labeljust="l", fontname="Helvetica"
    )


def _fill(graph: Any, frame: Frame, names: dict[int, str], numbers: Any) -> Any:
    pydot = _pydot()
    for part in frame.parts:
        if isinstance(part, Frame):
            graph.add_subgraph(_fill(_cluster(part, numbers), part, names, numbers))
        else:
            graph.add_node(pydot.Node(names[id(part)], label=_label(part)))
    for source, target in frame.edges:
        graph.add_edge(pydot.Edge(names[id(source)], names[id(target)], penwidth="2"))
    return graph


def _label(box: Box) -> str:
    """A table in Graphviz's HTML: the heading in white on black, then a row for each row of facts."""
    columns = max((len(row) for row in box.rows), default=1)
    heading = f"<b>{escape(box.name)}</b> ({escape(box.kind)})" if box.name else f"<b>{escape(box.kind)}</b>"
    heading = f'<font point-size="16" color="white">{heading}</font>'
    rows = [f'<tr><td colspan="{columns}" bgcolor="black">{heading}</td></tr>']
    for row in box.rows:
        last = columns - len(row) + 1
        cells = [_cell(cell, last if i == len(row) - 1 else 1) for i, cell in enumerate(row)]
        rows.append(f"<tr>{''.join(cells)}</tr>")
    table = '<table border="0" cellborder="1" cellspacing="0" bgcolor="black" cellpadding="10">'
    return f"<{table}{''.join(rows)}</table>>"


def _cell(cell: Cell, columns: int) -> str:
    text = f"<b>{escape(cell.value)}</b>"
    if cell.label:
        text = f"{escape(cell.label)}: {text}"
    colour = ' color="white"' if cell.colour else ""
    return (
        f'<td colspan="{columns}" bgcolor="{cell.colour or "white"}"><font point-size="14"{colour}>{text}</font></td>'
    )
