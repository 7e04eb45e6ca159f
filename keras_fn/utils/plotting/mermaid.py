"""Models as Mermaid flowcharts, which GitHub, GitLab, Jupyter and many documentation tools draw."""

from __future__ import annotations

from typing import Any

from keras_fn.utils.plotting.diagram import Box, Options, check_rankdir, diagram_of


def model_to_mermaid(model: Any, show_shapes: bool = False, rankdir: str = "TB") -> str:
    """A model as the text of a Mermaid flowchart.

    Args:
        model: a functional or built Sequential model; a subclass becomes one box.
        show_shapes: tell input and output shapes.
        rankdir: where the graph goes: "TB" (down), "BT", "LR" (to the right) or "RL".

    Raises:
        NotBuiltError: where the model does not know its shapes yet.

    Example:
        >>> import keras_fn
        >>> x = keras_fn.Input((3,), name="x")
        >>> print(model_to_mermaid(keras_fn.Model(x, keras_fn.layers.Dense(2, name="y")(x))))
        flowchart TB
            n0["x (InputLayer)"]
            n1["y (Dense)"]
            n0 --> n1
    """
    check_rankdir(rankdir)
    diagram = diagram_of(model, Options(show_shapes=show_shapes))
    names = {id(box): f"n{i}" for i, box in enumerate(diagram.boxes())}
    lines = [f"flowchart {rankdir}"]
    lines += [f'    {names[id(box)]}["{_label(box)}"]' for box in diagram.boxes()]
    lines += [f"    {names[id(a)]} --> {names[id(b)]}" for a, b in diagram.edges]
    return "\n".join(lines)


def _label(box: Box) -> str:
    lines = [f"{box.name} ({box.kind})"]
    lines += [f"{cell.label}: {cell.value}" for row in box.rows for cell in row]
    return "<br/>".join(map(_escaped, lines))


def _escaped(text: str) -> str:
    # Mermaid's own entities: a quote would end the label, and < begins a tag
    for sign, entity in (("#", "#35;"), ('"', "#quot;"), ("<", "#lt;"), (">", "#gt;"), ("`", "#96;")):
        text = text.replace(sign, entity)
    return text
