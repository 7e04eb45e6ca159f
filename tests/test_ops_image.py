"""Images, patches, pooling to a size and CTC: values, dtypes, shapes without values, gradients, errors."""

from __future__ import annotations

import colorsys
import itertools
import math

import numpy as np
import pytest

import keras_fn
from keras_fn import ops
from keras_fn.core.backend import active
from keras_fn.core.errors import ArgumentError, DtypeError, KerasFnError, ShapeError
from keras_fn.core.spec import Spec


def host(x) -> np.ndarray:
    return ops.convert_to_numpy(x)


def lit(*shape: int) -> np.ndarray:
    return np.random.default_rng(sum(shape)).random(shape).astype("float32")


def compiled(fn, *args):
    """What the function gives, as one compiled program, which also costs less where a framework compiles all."""
    tensors = [ops.convert_to_tensor(a) for a in args]
    out = active.backend.compile_step(lambda *xs: tuple(listed(fn(*xs))), list, None)(*tensors)
    return [host(x) for x in out]


def listed(x) -> list:
    return list(x) if isinstance(x, (tuple, list)) else [x]


IMAGES = lit(2, 5, 6, 3)
TURN = np.array([0.9, 0.1, 0.53, -0.2, 1.1, -0.31, 0.01, 0.02], "float32")
CORNERS = np.array([[0, 0], [5, 0], [0, 4], [5, 4]], "float32")
LOGITS = np.random.default_rng(0).normal(size=(2, 4, 3)).astype("float32")


def at(image: np.ndarray, row: float, column: float) -> np.ndarray:
    """The value of an image between four pixels; 0 around it."""
    total = np.zeros(image.shape[-1])
    low = math.floor(row), math.floor(column)
    for down, right in itertools.product((0, 1), (0, 1)):
        r, c = low[0] + down, low[1] + right
        if 0 <= r < image.shape[0] and 0 <= c < image.shape[1]:
            total += (1 - abs(row - r)) * (1 - abs(column - c)) * image[r, c]
    return total


def turned() -> np.ndarray:
    a0, a1, a2, b0, b1, b2, c0, c1 = TURN.astype("float64")
    out = np.zeros(IMAGES.shape)
    for n, y, x in np.ndindex(2, 5, 6):
        k = c0 * x + c1 * y + 1
        out[n, y, x] = at(IMAGES[n], (b0 * x + b1 * y + b2) / k, (a0 * x + a1 * y + a2) / k)
    return out


def bell(size: int, sigma: float) -> np.ndarray:
    weights = np.exp(-0.5 * ((np.arange(size) - (size - 1) / 2) / sigma) ** 2)
    return weights / weights.sum()


def filtered(rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Images with zeros around them, each pixel a weighted sum of those around it."""
    pads = [((n - 1) // 2, n // 2) for n in (len(rows), len(columns))]
    padded = np.pad(IMAGES, ((0, 0), *pads, (0, 0)))
    out = np.zeros(IMAGES.shape)
    for (i, a), (j, b) in itertools.product(enumerate(rows), enumerate(columns)):
        out += a * b * padded[:, i : i + 5, j : j + 6]
    return out


def pooled(fn, *size: int) -> np.ndarray:
    out = np.zeros((2, *size, 3))
    for i, j in np.ndindex(*size):
        rows = slice(i * 5 // size[0], -(-(i + 1) * 5 // size[0]))
        columns = slice(j * 6 // size[1], -(-(j + 1) * 6 // size[1]))
        out[:, i, j] = fn(IMAGES[:, rows, columns], axis=(1, 2))
    return out


def path_sums(logits: np.ndarray, blank: int = 0) -> dict[tuple[int, ...], float]:
    """The probability of each sequence of labels, from all paths there are."""
    p = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    found: dict[tuple[int, ...], float] = {}
    for path in itertools.product(range(p.shape[1]), repeat=len(p)):
        labels = tuple(c for c, _ in itertools.groupby(path) if c != blank)
        found[labels] = found.get(labels, 0) + math.prod(p[t, c] for t, c in enumerate(path))
    return found


def ctc_losses() -> np.ndarray:
    return np.array([-math.log(path_sums(LOGITS[0])[1, 2]), -math.log(path_sums(LOGITS[1, :3])[(1,)])])


def beams() -> list[np.ndarray]:
    labels, scores = np.full((2, 2, 4), -1), np.zeros((2, 2))
    for n in range(2):
        best = sorted(path_sums(LOGITS[n]).items(), key=lambda item: -item[1])[:2]
        for i, (sequence, p) in enumerate(best):
            labels[i, n, : len(sequence)], scores[n, i] = sequence, math.log(p)
    return [labels, scores]


def by_pixel(fn, images: np.ndarray = IMAGES) -> np.ndarray:
    return np.apply_along_axis(lambda p: np.array(fn(*p)), -1, images.astype("float64"))


# hues that small steps do not carry over a corner: colours bend at each sixth of the circle
INSIDE = IMAGES.copy()
INSIDE[..., 0] = (np.floor(IMAGES[..., 0] * 6) + 0.1 + 0.8 * (IMAGES[..., 0] * 6 % 1)) / 6


UNFOLDED = np.stack(
    [IMAGES.transpose(0, 3, 1, 2)[:, :, i : i + 2, j : j + 2].reshape(2, -1) for i in range(4) for j in range(5)], -1
)
COVERED = np.outer([1, 2, 2, 2, 1], [1, 2, 2, 2, 2, 1])[None, None] * IMAGES.transpose(0, 3, 1, 2)
TARGETS, LENGTHS, TIMES = np.array([[1, 2], [1, 0]], "int32"), np.array([2, 1], "int32"), np.array([4, 3], "int32")

CASES = {
    "grayscale": (ops.image.rgb_to_grayscale, [IMAGES], IMAGES @ np.array([[0.2989], [0.587], [0.114]])),
    "to hsv": (ops.image.rgb_to_hsv, [IMAGES], by_pixel(colorsys.rgb_to_hsv)),
    "to rgb": (ops.image.hsv_to_rgb, [IMAGES], by_pixel(colorsys.hsv_to_rgb)),
    "to rgb inside the sixths": (ops.image.hsv_to_rgb, [INSIDE], by_pixel(colorsys.hsv_to_rgb, INSIDE)),
    "pad": (lambda x: ops.image.pad_images(x, 1, 2, 0, 1), [IMAGES], np.pad(IMAGES, ((0, 0), (1, 0), (2, 1), (0, 0)))),
    "crop": (lambda x: ops.image.crop_images(x, 1, 2, 0, 1), [IMAGES], IMAGES[:, 1:, 2:-1]),
    "sobel": (
        lambda x: ops.image.sobel_edges(x)[..., 1], [IMAGES], filtered(np.array([1, 2, 1]), np.array([-1, 0, 1])),
    ),
    "blur": (
        lambda x: ops.image.gaussian_blur(x, (4, 3), (1.0, 2.0)), [IMAGES], filtered(bell(4, 1.0), bell(3, 2.0)),
    ),
    "psnr": (lambda x: ops.psnr(x, x * 0.5, 2.0), [IMAGES], 10 * np.log10(4 / np.mean((IMAGES / 2) ** 2))),
    "ssim": (lambda x: ops.image.ssim(x, x, filter_size=3), [IMAGES], np.ones(2)),
    "affine": (lambda x: ops.image.affine_transform(x, TURN), [IMAGES], turned()),
    "perspective": (lambda x: ops.image.perspective_transform(x, CORNERS, CORNERS), [IMAGES], IMAGES),
    "perspective moved": (
        lambda x: ops.image.perspective_transform(x, CORNERS, CORNERS + 1, "nearest"), [IMAGES],
        np.pad(IMAGES, ((0, 0), (1, 0), (1, 0), (0, 0)))[:, :-1, :-1],
    ),
    "coordinates": (
        lambda x: ops.image.map_coordinates(x[0, :, :, 0], [[0.5, 3.25, -7.0], [1.0, 4.5, 2.0]], 1), [IMAGES],
        np.array([at(IMAGES[0], 0.5, 1.0)[0], at(IMAGES[0], 3.25, 4.5)[0], 0.0]),
    ),
    "stretched": (
        lambda x: ops.image.scale_and_translate(x, (2, 10, 6, 3), [2.0], [0.0], [1], "linear"), [IMAGES], None,
    ),
    "patches": (
        lambda x: ops.image.extract_patches(x, (2, 3)), [IMAGES],
        IMAGES[:, :4].reshape(2, 2, 2, 2, 3, 3).transpose(0, 1, 3, 2, 4, 5).reshape(2, 2, 2, 18),
    ),
    "patches 3d": (lambda x: ops.image.extract_patches_3d(x, (2, 5, 6)), [IMAGES[..., None]], IMAGES.reshape(1, -1)),
    "unfold": (lambda x: ops.unfold(ops.transpose(x, (0, 3, 1, 2)), 2), [IMAGES], UNFOLDED),
    "fold": (lambda x: ops.fold(x, (5, 6), 2), [UNFOLDED], COVERED),
    "depth and back": (lambda x: ops.depth_to_space(ops.space_to_depth(x, 2), 2), [IMAGES[:, :4]], IMAGES[:, :4]),
    "depth and back first": (
        lambda x: ops.space_to_depth(ops.depth_to_space(x, 2, "channels_first"), 2, "channels_first"),
        [lit(2, 4, 3, 2)], lit(2, 4, 3, 2),
    ),
    "average pool": (lambda x: ops.nn.adaptive_average_pool(x, (3, 4)), [IMAGES], pooled(np.mean, 3, 4)),
    "max pool": (lambda x: ops.nn.adaptive_max_pool(x, (2, 5)), [IMAGES], pooled(np.max, 2, 5)),
    "pool kept": (lambda x: ops.nn.adaptive_max_pool(x, (None, 6)), [IMAGES], IMAGES),
    "ctc": (lambda x: ops.ctc_loss(TARGETS, x, LENGTHS, TIMES), [LOGITS], ctc_losses()),
}  # fmt: skip
CASES["patches 3d"] = (
    lambda x: ops.image.extract_patches_3d(x, (2, 5, 6), data_format="channels_first"),
    [IMAGES.transpose(3, 0, 1, 2)[None]], IMAGES.reshape(-1, 3).reshape(1, -1, 1, 1, 1),
)  # fmt: skip
pixels = np.repeat(IMAGES, 2, 1)
CASES["stretched"] = (
    *CASES["stretched"][:2],
    np.concatenate([pixels[:, :1], *(0.75 * pixels[:, i : i + 1] + 0.25 * pixels[:, j : j + 1]
                    for i, j in zip(range(1, 9), [2, 1, 4, 3, 6, 5, 8, 7], strict=True)), pixels[:, 9:]], 1),
)  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_value(case):
    fn, args, expected = CASES[case]
    (found,) = compiled(fn, *args)
    assert found.shape == expected.shape
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("hidden", ["nothing", "batch", "all"])
@pytest.mark.parametrize("case", CASES)
def test_spec_is_what_comes_out(case, hidden):
    fn, args, expected = CASES[case]
    unknown = {"nothing": 0, "batch": 1, "all": 3}[hidden]
    specs = [Spec((None,) * unknown + a.shape[unknown:], "float32") for a in args]
    (spec,) = listed(fn(*specs))
    assert spec.dtype == "float32"
    assert len(spec.shape) == expected.ndim
    assert all(s is None or s == d for s, d in zip(spec.shape, expected.shape, strict=True))
    assert unknown or spec.shape == expected.shape


# "to rgb" has a hue so close to 4 / 6 that the small step crosses the corner there
SMOOTH = [c for c in CASES if c not in ("psnr", "ssim", "perspective moved", "pool kept", "depth and back", "to rgb")]


@pytest.mark.parametrize("case", SMOOTH)
def test_gradient(case):
    if not active.backend.differentiable:
        return
    fn, args, expected = CASES[case]
    weights = np.cos(np.arange(expected.size)).reshape(expected.shape).astype("float32")
    way = np.sin(7.0 * np.arange(args[0].size)).reshape(args[0].shape).astype("float32")

    def total(x):
        return ops.sum(ops.multiply(fn(x), weights))

    variable = keras_fn.Variable(args[0])
    run = active.backend.value_and_grad(lambda: total(variable.value), [variable], False)
    gradient = host(active.backend.compile_step(lambda: tuple(run()[1]), lambda: [variable], None)()[0])
    step = 5e-4
    ahead, behind = (float(compiled(total, args[0] + way * s * step)[0]) for s in (1, -1))
    np.testing.assert_allclose((gradient * way).sum(), (ahead - behind) / (2 * step), rtol=2e-2, atol=6e-2)


@pytest.mark.parametrize("strategy", ["greedy", "beam_search"])
def test_ctc_decode(strategy):
    expected = beams()
    labels, scores = compiled(lambda x: ops.ctc_decode(x, [4, 4], strategy, 40, 2), LOGITS)
    if strategy == "greedy":
        best = LOGITS.argmax(-1)
        found = [[c for c, _ in itertools.groupby(row) if c] for row in best.tolist()]
        assert [[c for c in row if c >= 0] for row in labels[0].tolist()] == found
        np.testing.assert_allclose(scores[:, 0], -LOGITS.max(-1).sum(-1), rtol=1e-5)
    else:
        assert labels.tolist() == expected[0].tolist()
        np.testing.assert_allclose(scores, expected[1], rtol=1e-4)
    specs = ops.ctc_decode(Spec((None, 4, 3), "float32"), Spec((None,), "int32"), strategy, 8, 2)
    assert specs[0].shape == (labels.shape[0], None, 4)
    assert [x.dtype for x in specs] == ["int32", "float32"]


@pytest.mark.parametrize("mode, expected", [
    ("constant", [9, 9, 9, 0, 1, 2, 9, 9, 9]), ("nearest", [0, 0, 0, 0, 1, 2, 2, 2, 2]),
    ("wrap", [0, 1, 2, 0, 1, 2, 0, 1, 2]), ("mirror", [1, 2, 1, 0, 1, 2, 1, 0, 1]),
    ("reflect", [2, 1, 0, 0, 1, 2, 2, 1, 0]),
])  # fmt: skip
def test_what_lies_around(mode, expected):
    places = np.arange(-3.0, 6.0, dtype="float32")[None]
    line = np.arange(3, dtype="int32")
    for found in compiled(lambda x: [ops.image.map_coordinates(x, places, order, mode, 9) for order in (0, 1)], line):
        assert found.dtype == np.int32 and found.tolist() == expected


def test_elastic_transform():
    flat = ops.image.elastic_transform(np.ones((2, 9, 8, 3), "float32"), seed=1)
    np.testing.assert_allclose(host(flat), 1.0, rtol=1e-5)
    once, again, other = (host(ops.image.elastic_transform(IMAGES, 30.0, 2.0, seed=s)) for s in (1, 1, 2))
    assert once.shape == IMAGES.shape
    assert (once == again).all()
    assert np.abs(once - other).max() > 0.05 and np.abs(once - IMAGES).max() > 0.05
    assert ops.image.elastic_transform(Spec((None, 9, 8, 3), "float32")).shape == (None, 9, 8, 3)


@pytest.mark.parametrize("name", ["rgb_to_grayscale", "gaussian_blur"])
def test_bytes_stay_bytes(name):
    found = host(getattr(ops.image, name)((255 * IMAGES).astype("uint8")))
    smooth = host(getattr(ops.image, name)(255 * IMAGES))
    assert found.dtype == np.uint8
    assert np.abs(found.astype("float32") - smooth).max() < 2


def test_one_image_and_channels_first():
    for fn in (ops.image.sobel_edges, ops.image.gaussian_blur, ops.image.rgb_to_hsv):
        whole = host(fn(IMAGES))
        np.testing.assert_allclose(host(fn(IMAGES[0])), whole[0], atol=1e-5)
        first = host(fn(IMAGES.transpose(0, 3, 1, 2), data_format="channels_first"))
        np.testing.assert_allclose(np.moveaxis(first, 1, 3), whole, atol=1e-5)


ERRORS = {
    "rank": (lambda: ops.image.sobel_edges(IMAGES[0, 0]), ShapeError, "3 or 4 dimensions"),
    "channels": (lambda: ops.image.rgb_to_hsv(IMAGES[..., :2]), ShapeError, "3 channels"),
    "bytes": (lambda: ops.image.rgb_to_hsv((IMAGES * 9).astype("uint8")), DtypeError, "must be floats"),
    "padding": (lambda: ops.image.pad_images(IMAGES, 1, 1, 1), ArgumentError, "Exactly two"),
    "target": (lambda: ops.image.pad_images(IMAGES, 1, 1, target_height=3, target_width=9), ArgumentError, "height 5"),
    "cropping": (lambda: ops.image.crop_images(IMAGES, 3, 0, 2, 0), ArgumentError, "Nothing would be left"),
    "mode": (lambda: ops.image.affine_transform(IMAGES, TURN, fill_mode="mirrored"), ArgumentError, "Did you mean"),
    "interpolation": (lambda: ops.image.affine_transform(IMAGES, TURN, "cubic"), ArgumentError, "'nearest' or"),
    "transform": (lambda: ops.image.affine_transform(IMAGES, TURN[:6]), ShapeError, r"\(8,\)"),
    "order": (lambda: ops.image.map_coordinates(IMAGES, CORNERS, 3), ArgumentError, "0 or 1"),
    "coordinates": (lambda: ops.image.map_coordinates(IMAGES, CORNERS[:2], 1), ShapeError, r"\(4, \*points\)"),
    "likeness": (lambda: ops.psnr(IMAGES, IMAGES[0], 1.0), ShapeError, "one shape"),
    "window": (lambda: ops.image.extract_patches(IMAGES, 9), ShapeError, "shorter than a window"),
    "block": (lambda: ops.space_to_depth(IMAGES, 2), ShapeError, "no multiple of 2"),
    "fold": (lambda: ops.fold(UNFOLDED, (5, 7), 2), ShapeError, "24"),
    "pool": (lambda: ops.nn.adaptive_max_pool(IMAGES, (1, 2, 3)), ArgumentError, "output_size"),
    "ctc": (lambda: ops.ctc_loss(TARGETS[:1], LOGITS, LENGTHS, TIMES), ShapeError, "`target`"),
    "strategy": (lambda: ops.ctc_decode(LOGITS, TIMES, "beam"), ArgumentError, "'greedy' or"),
    "method": (
        lambda: ops.image.scale_and_translate(IMAGES, (2, 5, 6, 3), [1.0], [0.0], [1], "lanczos"),
        ArgumentError, "Did you",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", ERRORS)
def test_error(case):
    run, kind, message = ERRORS[case]
    with pytest.raises(kind, match=message) as found:
        run()
    assert isinstance(found.value, KerasFnError)
