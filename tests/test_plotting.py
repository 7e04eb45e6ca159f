"""Pictures of models: what they show, that nothing lies over anything else, and the files."""

from __future__ import annotations

import itertools
import os
import random
import stat
import sys
from xml.etree import ElementTree

import pytest

import keras_fn
from keras_fn import layers
from keras_fn.core.errors import ArgumentError, NotBuiltError
from keras_fn.utils import model_to_dot, model_to_mermaid, plot_model
from keras_fn.utils.plotting.diagram import Options, diagram_of
from keras_fn.utils.plotting.layout import lay_out
from keras_fn.utils.plotting.svg import text_width

DIRECTIONS = ("TB", "BT", "LR", "RL")


def _mlp(name="mlp"):
    x = keras_fn.Input((6,), name="x")
    y = layers.Dense(4, activation="relu", name="hidden")(x)
    return keras_fn.Model(x, layers.Dense(2, name="out")(y), name=name)


def _residual():
    x = keras_fn.Input((4,), name="x")
    y = x
    for _ in range(3):
        y = layers.Add()([y, layers.Dense(4)(layers.Dense(4)(y))])
    return keras_fn.Model(x, layers.Concatenate()([x, y]))


def _nested():
    x = keras_fn.Input((6,), name="data")
    inner = _mlp("inner")
    y = keras_fn.ops.add(inner(x), inner(layers.ReLU()(x)))
    deep = keras_fn.Sequential(
        [keras_fn.Input((2,)), layers.Dense(2), keras_fn.Sequential([keras_fn.Input((2,)), _mlp_of(2)], name="b")],
        name="a",
    )
    return keras_fn.Model(x, [deep(y), y], name="outer")


def _mlp_of(n):
    return layers.Dense(n, name="last")


def _shared():
    x = keras_fn.Input((3,), name="x")
    dense = layers.Dense(3, name="dense")
    return keras_fn.Model(x, dense(layers.ReLU(name="relu")(dense(dense(x)))))


def _dense_net():
    parts = [keras_fn.Input((2,))]
    for i in range(10):
        parts.append(layers.Dense(2)(layers.Concatenate()(parts) if i else parts[0]))
    return keras_fn.Model(parts[0], parts[-1])


def _random(seed):
    rng = random.Random(seed)
    symbols = [keras_fn.Input((3,)) for _ in range(rng.randint(1, 3))]
    inputs = list(symbols)
    for _ in range(rng.randint(5, 40)):
        some = rng.sample(symbols, min(len(symbols), rng.randint(1, 4)))
        symbols.append(layers.Add()(some) if len(some) > 1 else layers.Dense(3, name=None)(some[0]))
    return keras_fn.Model(inputs, symbols[-3:])


MODELS = [_mlp, _residual, _nested, _shared, _dense_net, *(lambda s=s: _random(s) for s in range(6))]


def _picture(model, rankdir="TB", splines="ortho", **options):
    return lay_out(diagram_of(model, Options(**options)), text_width, rankdir, splines)


# --- what is where
@pytest.mark.parametrize("splines", ["ortho", "line"])
@pytest.mark.parametrize("rankdir", DIRECTIONS)
@pytest.mark.parametrize("make", MODELS)
def test_nothing_lies_over_anything_else(make, rankdir, splines):
    picture = _picture(make(), rankdir, splines, show_shapes=True, expand_nested=True)
    boxes = [(x, y, x + t.width, y + t.height) for t, x, y in picture.tables]
    for a, b in itertools.combinations(boxes, 2):
        assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1], "two boxes overlap"
    for x0, y0, x1, y1 in boxes:
        assert x0 >= 0 and y0 >= 0 and x1 <= picture.width + 0.01 and y1 <= picture.height + 0.01
    for line in picture.lines:
        for a, b in itertools.pairwise(line.points):
            assert not any(_passes(a, b, box) for box in boxes), "a line runs through a box"


def _passes(a, b, box, steps=40):
    if any(max(a[i], b[i]) <= box[i] or min(a[i], b[i]) >= box[i + 2] for i in (0, 1)):
        return False
    for i in range(steps + 1):
        x, y = (a[j] + (b[j] - a[j]) * i / steps for j in (0, 1))
        if box[0] + 0.1 < x < box[2] - 0.1 and box[1] + 0.1 < y < box[3] - 0.1:
            return True
    return False


@pytest.mark.parametrize("splines", ["ortho", "line", "curved"])
@pytest.mark.parametrize("make", MODELS)
def test_arrows_end_at_boxes(make, splines):
    picture = _picture(make(), splines=splines, expand_nested=True)
    heads = [line.points[-1] for line in picture.lines if line.arrow]
    assert heads
    for x, y in heads:
        assert any(
            bx - 0.1 <= x <= bx + t.width + 0.1 and by - 0.1 <= y <= by + t.height + 0.1 for t, bx, by in picture.tables
        )


def test_frames_hold_their_layers_and_no_others():
    picture = _picture(_nested(), expand_nested=True)
    frames = {title: (x, y, x + w, y + h) for title, x, y, w, h in picture.frames}
    assert set(frames) == {"inner", "a", "b"}
    inside = {
        title: {
            "".join(run.text for run in t.rects[0].runs).split(" ")[0]
            for t, x, y in picture.tables
            if box[0] <= x and box[1] <= y and x + t.width <= box[2] and y + t.height <= box[3]
        }
        for title, box in frames.items()
    }
    assert inside == {"inner": {"x", "hidden", "out"}, "a": {"dense", "last"}, "b": {"last"}}


def test_a_chain_is_straight():
    picture = _picture(_mlp(), show_shapes=True)
    middles = {round(x + t.width / 2, 3) for t, x, _ in picture.tables}
    assert len(middles) == 1
    assert all(a[0] == pytest.approx(b[0]) for line in picture.lines for a, b in itertools.pairwise(line.points))


def test_the_graph_goes_where_it_is_told():
    def place(rankdir):
        return [(x, y) for _, x, y in _picture(_mlp(), rankdir, show_layer_names=False).tables]

    for rankdir, axis, sign in (("TB", 1, 1), ("BT", 1, -1), ("LR", 0, 1), ("RL", 0, -1)):
        along = [sign * p[axis] for p in place(rankdir)]
        assert along == sorted(along) and len(set(along)) == 3


# --- what is said
def _texts(model, **options):
    return [[cell.value for row in box.rows for cell in row] for box in diagram_of(model, Options(**options)).boxes()]


def test_facts():
    model = _mlp()
    model.get_layer("out").trainable = False
    assert _texts(model, show_shapes=True) == [["(None, 6)"], ["(None, 6)", "(None, 4)"], ["(None, 4)", "(None, 2)"]]
    assert _texts(model, show_dtype=True) == [["float32"]] * 3
    assert _texts(model, show_layer_activations=True) == [[], ["relu"], ["linear"]]
    assert _texts(model, show_trainable=True) == [[], ["Trainable"], ["Non-trainable"]]


def test_ops_and_names():
    x = keras_fn.Input((3,), name="x")
    boxes = list(diagram_of(keras_fn.Model(x, keras_fn.ops.add(x, 1.0)), Options()).boxes())
    assert [(b.name, b.kind) for b in boxes] == [("x", "InputLayer"), ("add", "Add")]
    assert [b.name for b in diagram_of(_mlp(), Options(show_layer_names=False)).boxes()] == ["", "", ""]


def test_arrows_into_models_go_to_the_right_input():
    a, b = keras_fn.Input((2,), name="a"), keras_fn.Input((2,), name="b")
    inner = keras_fn.Model([a, b], [layers.Dense(2, name="p")(a), layers.Dense(2, name="q")(b)], name="inner")
    u, v = keras_fn.Input((2,), name="u"), keras_fn.Input((2,), name="v")
    p, q = inner([v, u])
    model = keras_fn.Model([u, v], layers.Subtract(name="s")([layers.ReLU(name="after_q")(q), p]))
    edges = {(s.name, t.name) for s, t in diagram_of(model, Options(expand_nested=True)).edges}
    assert edges == {("v", "a"), ("u", "b"), ("q", "after_q"), ("p", "s"), ("after_q", "s")}


class Code(keras_fn.Model):
    """A model that is not a graph."""

    def __init__(self):
        super().__init__(name="code")
        self.dense = layers.Dense(3)

    def call(self, x):
        return self.dense(x)


def test_a_subclass_is_one_box():
    model = Code()
    model.build((None, 2))
    assert [(b.name, b.kind) for b in diagram_of(model, Options()).boxes()] == [("code", "Code")]
    assert model_to_mermaid(model) == 'flowchart TB\n    n0["code (Code)"]'


@pytest.mark.parametrize("make", [lambda: keras_fn.Sequential([layers.Dense(2)], name="open"), Code])
def test_models_that_are_not_built(make):
    for draw in (plot_model, model_to_dot, model_to_mermaid):
        with pytest.raises(NotBuiltError, match="is not built"):
            draw(make())


# --- files
@pytest.fixture
def no_dot(monkeypatch):
    monkeypatch.setattr("keras_fn.utils.plotting.plot._has_graphviz", lambda: False)


@pytest.mark.parametrize("rankdir", DIRECTIONS)
@pytest.mark.parametrize("make", [_nested, _shared, _residual])
def test_png(make, rankdir, tmp_path, no_dot):
    from PIL import Image

    file = tmp_path / "model.png"
    options = {"show_shapes": True, "show_dtype": True, "show_layer_names": True, "show_layer_activations": True}
    assert plot_model(make(), file, rankdir=rankdir, expand_nested=True, show_trainable=True, dpi=96, **options) is None
    with Image.open(file) as image:
        assert min(image.size) > 100
        colours = {c: n for n, c in image.convert("RGB").getcolors(1 << 24)}
        assert colours[255, 255, 255] and colours[0x1F, 0x29, 0x37] and colours[0x22, 0x8B, 0x22]
        border = [image.convert("L").crop(box).getextrema()[0] for box in _borders(image.size)]
    assert min(border) > 200, "something is cut off at the edge"


def _borders(size):
    w, h = size
    return [(0, 0, w, 4), (0, h - 4, w, h), (0, 0, 4, h), (w - 4, 0, w, h)]


def test_dpi_scales_and_long_pictures_are_limited(tmp_path, no_dot):
    from PIL import Image

    def size(model, dpi):
        plot_model(model, tmp_path / "model.png", dpi=dpi)
        with Image.open(tmp_path / "model.png") as image:
            return image.size

    small, large = size(_mlp(), 72), size(_mlp(), 144)
    assert large[0] == pytest.approx(2 * small[0], abs=3) and large[1] == pytest.approx(2 * small[1], abs=3)
    x = y = keras_fn.Input((2,))
    for _ in range(100):
        y = layers.ReLU()(y)
    assert size(keras_fn.Model(x, y), 200)[1] <= 10_001


@pytest.mark.parametrize("splines", ["ortho", "curved", "line", "polyline"])
def test_svg(splines, tmp_path, no_dot, monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL", None)  # SVG needs no Pillow
    file = tmp_path / "model.svg"
    plot_model(_nested(), file, show_layer_names=True, expand_nested=True, splines=splines)
    root = ElementTree.parse(file).getroot()
    texts = ["".join(t.itertext()) for t in root.iter("{http://www.w3.org/2000/svg}text")]
    assert "hidden (Dense)" in texts and "inner" in texts


def test_names_with_signs_of_markup(tmp_path, no_dot):
    x = keras_fn.Input((2,), name='<a & "b">')
    model = keras_fn.Model(x, layers.Dense(2, name="층")(x))
    plot_model(model, tmp_path / "m.svg", show_layer_names=True)
    plot_model(model, tmp_path / "m.png", show_layer_names=True)
    texts = ["".join(t.itertext()) for t in ElementTree.parse(tmp_path / "m.svg").iter() if t.tag.endswith("text")]
    assert texts == ['<a & "b"> (InputLayer)', "층 (Dense)"]
    assert "#lt;a & #quot;b#quot;#gt;" in model_to_mermaid(model)
    assert "&lt;a &amp; &quot;b&quot;&gt;" in model_to_dot(model).to_string()


def test_without_an_ending_it_is_a_png(tmp_path, no_dot):
    plot_model(_mlp(), str(tmp_path / "picture"))
    assert (tmp_path / "picture.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"to_file": "model.docx"}, r"\.svg, \.png"),
        ({"rankdir": "UP"}, "TB, BT, LR, RL"),
        ({"splines": "wavy"}, "ortho"),
        ({"dpi": 0}, "above 0"),
        ({"dpi": "200"}, "above 0"),
        ({"show_shape": True}, "show_shape"),
    ],
)
def test_arguments_that_make_no_sense(options, message, tmp_path, no_dot):
    options = {**options, "to_file": tmp_path / options.get("to_file", "model.png")}
    with pytest.raises(ArgumentError, match=message):
        plot_model(_mlp(), **options)
    assert not list(tmp_path.iterdir())


def test_missing_packages_are_named(tmp_path, no_dot, monkeypatch):
    monkeypatch.setitem(sys.modules, "pydot", None)
    with pytest.raises(ImportError, match="pip install pydot"):
        model_to_dot(_mlp())
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(ImportError, match="pip install pillow"):
        plot_model(_mlp(), tmp_path / "model.png")


@pytest.mark.parametrize("works", [True, False])
def test_graphviz_is_used_where_it_is_installed(works, tmp_path, monkeypatch):
    program = tmp_path / "dot"
    program.write_text("#!/bin/sh\ncat\n" if works else '#!/bin/sh\necho "no such format" >&2\nexit 1\n')
    program.chmod(program.stat().st_mode | stat.S_IEXEC)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    file = tmp_path / "model.gv"
    if works:
        plot_model(_mlp(), file, rankdir="LR")
        assert file.read_text().startswith("digraph") and "rankdir=LR" in file.read_text()
    else:
        file.write_text("the old picture")
        with pytest.raises(RuntimeError, match="no such format"):
            plot_model(_mlp(), file)
        assert file.read_text() == "the old picture"


# --- text
def test_dot_is_read_back():
    import pydot

    text = model_to_dot(_nested(), show_shapes=True, show_dtype=True, expand_nested=True).to_string()
    (graph,) = pydot.graph_from_dot_data(text)
    assert [g.get_label() for g in graph.get_subgraphs()] == ["inner", "a"]
    (inner, _) = graph.get_subgraphs()
    assert len(inner.get_nodes()) == 3 and len(inner.get_edges()) == 2


def test_dot_as_part_of_another_graph():
    part = model_to_dot(_mlp(), subgraph=True)
    assert part.to_string().startswith("subgraph cluster_") and part.get_label() == "mlp"


def test_mermaid():
    assert model_to_mermaid(_mlp(), show_shapes=True, rankdir="LR").splitlines() == [
        "flowchart LR",
        '    n0["x (InputLayer)<br/>Output shape: (None, 6)"]',
        '    n1["hidden (Dense)<br/>Input shape: (None, 6)<br/>Output shape: (None, 4)"]',
        '    n2["out (Dense)<br/>Input shape: (None, 4)<br/>Output shape: (None, 2)"]',
        "    n0 --> n1",
        "    n1 --> n2",
    ]
