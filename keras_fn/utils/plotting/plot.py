"""`plot_model`: a picture of a model in a file."""

from __future__ import annotations

import importlib.util
import os
import pathlib
import shutil
import sys
from typing import Any

from keras_fn.core.atomic import new_file
from keras_fn.core.errors import ArgumentError, BackendError
from keras_fn.utils.plotting.diagram import Options, check_rankdir, diagram_of
from keras_fn.utils.plotting.dot import model_to_dot, no_more
from keras_fn.utils.plotting.layout import lay_out

_RASTER = ("png", "jpg", "jpeg", "webp", "pdf")
# Graphviz's names, as the three ways that lines are drawn here
_SPLINES = {
    "ortho": "ortho", "curved": "curved", "spline": "curved", "splines": "curved", "true": "curved", "line": "line",
    "polyline": "line", "false": "line",
}  # fmt: skip


def plot_model(
    model: Any,
    to_file: str | os.PathLike[str] = "model.png",
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = False,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 200,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    splines: str = "ortho",
    **kwargs: Any,
) -> Any:
    """Draws a model into a file.

    Graphviz draws it where pydot and the `dot` program are installed. Elsewhere it is drawn here: SVG with nothing
    else, pixels and PDF with Pillow.

    Args:
        model: a functional or built Sequential model; a subclass becomes one box.
        to_file: path; its ending says the format, PNG where there is none.
        show_shapes: tell input and output shapes.
        show_dtype: tell the dtypes of the outputs.
        show_layer_names: names of the layers beside their classes.
        rankdir: where the graph goes: "TB" (down), "BT", "LR" (to the right) or "RL".
        expand_nested: show models inside the model as frames with their layers.
        dpi: pixels an inch; letters are 12 to 14 points high, which are 1/72 inch. Pictures drawn here that would be
            longer than 10,000 pixels get fewer, but not less than 72.
        show_layer_activations: tell the activation functions.
        show_trainable: mark layers as trainable or not.
        splines: how arrows run: "ortho" (right angles), "curved" or "line".

    Returns:
        In a notebook, the picture for display; None elsewhere.

    Raises:
        NotBuiltError: where the model does not know its shapes yet.
        ArgumentError: for a file format or an option that is not known.

    Example:
        >>> import keras_fn, pathlib, tempfile
        >>> x = keras_fn.Input((3,))
        >>> file = pathlib.Path(tempfile.mkdtemp(), "model.svg")
        >>> plot_model(keras_fn.Model(x, keras_fn.layers.Dense(2)(x)), file)
        >>> file.read_text()[:4]
        '<svg'
    """
    no_more(kwargs)
    check_rankdir(rankdir)
    if not isinstance(dpi, (int, float)) or isinstance(dpi, bool) or dpi <= 0:
        raise ArgumentError(f"`dpi` must be a number above 0, not {dpi!r}.")
    path = pathlib.Path(to_file)
    if not path.suffix:
        path = path.with_suffix(".png")
    told = {
        "show_shapes": show_shapes,
        "show_dtype": show_dtype,
        "show_layer_names": show_layer_names,
        "expand_nested": expand_nested,
        "show_layer_activations": show_layer_activations,
        "show_trainable": show_trainable,
    }
    if _has_graphviz():
        dot = model_to_dot(model, rankdir=rankdir, dpi=int(dpi), splines=str(splines).lower(), **told)
        _run_dot(dot.to_string(), path)
    else:
        _draw(model, path, Options(**told), rankdir, dpi, splines)
    return _shown(path)


def _draw(model: Any, path: pathlib.Path, options: Options, rankdir: str, dpi: float, splines: str) -> None:
    kind = path.suffix[1:].lower()
    if kind != "svg" and kind not in _RASTER:
        raise ArgumentError(
            f"A picture cannot be written as {path.suffix!r}. Without Graphviz (pydot and the `dot` program), "
            f"`to_file` may end in .svg, {', '.join(f'.{x}' for x in _RASTER)}."
        )
    way = _SPLINES.get(str(splines).lower())
    if way is None:
        raise ArgumentError(f"`splines` must be one of {', '.join(_SPLINES)}, not {splines!r}.")
    diagram = diagram_of(model, options)
    if kind == "svg":
        from keras_fn.utils.plotting.svg import svg, text_width

        drawing = svg(lay_out(diagram, text_width, rankdir, way), dpi)
        with new_file(path) as file:
            file.write(drawing.encode())
        return
    from keras_fn.utils.plotting.raster import raster, text_measure

    image = raster(lay_out(diagram, text_measure(), rankdir, way), dpi)
    extra: dict[str, Any] = {"dpi": (dpi, dpi)} if kind in ("png", "jpg", "jpeg") else {}
    with new_file(path) as file:
        image.save(file, format="jpeg" if kind == "jpg" else kind, **extra)


def _has_graphviz() -> bool:
    return shutil.which("dot") is not None and importlib.util.find_spec("pydot") is not None


def _run_dot(text: str, path: pathlib.Path) -> None:
    """Takes the picture from the program's output: a file that it writes itself is cut off where it is killed."""
    import subprocess

    command = ["dot", f"-T{path.suffix[1:].lower()}"]
    done = subprocess.run(command, input=text.encode(), capture_output=True, check=False)
    if done.returncode:
        raise BackendError(
            f"Graphviz could not draw {str(path)!r}: {done.stderr.decode(errors='replace').strip()}. The ending of "
            "`to_file` must be a format that `dot -T?` lists."
        )
    with new_file(path) as file:
        file.write(done.stdout)


def _shown(path: pathlib.Path) -> Any:
    """What a notebook displays. IPython is asked only where it runs already."""
    ipython = sys.modules.get("IPython")
    if ipython is None or ipython.get_ipython() is None:
        return None
    display = importlib.import_module("IPython.display")

    if path.suffix.lower() == ".svg":
        return display.SVG(filename=str(path))
    if path.suffix.lower() in (".png", ".jpg", ".jpeg"):
        return display.Image(filename=str(path))
    return None
