"""Names of classes: what a file may not reach, wherever a class may be named."""

from __future__ import annotations

from collections.abc import Iterator

from hostile.base import Maker, Row, layer

# module, class: of Python, of NumPy, of Keras and of this library; among them those of published attacks on loaders
_NAMES = [
    ("os", "system"),
    ("os", "popen"),
    ("posix", "system"),
    ("subprocess", "Popen"),
    ("subprocess", "run"),
    ("builtins", "eval"),
    ("builtins", "exec"),
    ("builtins", "open"),
    ("builtins", "getattr"),
    ("builtins", "type"),
    ("builtins", "object"),
    ("__main__", "Row"),
    ("importlib", "import_module"),
    ("pickle", "loads"),
    ("marshal", "loads"),
    ("ctypes", "CDLL"),
    ("shutil", "rmtree"),
    ("pathlib", "Path"),
    ("socket", "socket"),
    ("urllib.request", "urlopen"),
    ("webbrowser", "open"),
    ("runpy", "run_path"),
    ("code", "InteractiveConsole"),
    ("pydoc", "locate"),
    ("timeit", "timeit"),
    ("numpy", "load"),
    ("numpy", "ndarray"),
    ("numpy", "fromfile"),
    ("torch", "load"),
    ("tensorflow", "io.read_file"),
    ("h5py", "File"),
    ("antigravity", "fly"),
    ("a_module_that_is_not_there", "Evil"),
    ("keras", "eval"),
    ("keras.utils", "get_file"),
    ("keras.src.utils.file_utils", "get_file"),
    ("keras.src.utils.file_utils", "extract_archive"),
    ("keras.saving", "load_model"),
    ("keras.src.saving.saving_lib", "load_model"),
    ("keras.models", "load_model"),
    ("keras.models", "clone_model"),
    ("keras.config", "enable_unsafe_deserialization"),
    ("keras.src.saving.serialization_lib", "enable_unsafe_deserialization"),
    ("keras.config", "set_backend"),
    ("keras.utils", "set_random_seed"),
    ("keras.saving", "register_keras_serializable"),
    ("keras.saving", "CustomObjectScope"),
    ("keras.layers", "os"),
    ("keras.layers", "Layer.__init__"),
    ("keras.layers", "__class__"),
    ("keras.layers", "__builtins__"),
    ("keras.layers", "TFSMLayer"),
    ("keras.layers", "TorchModuleWrapper"),
    ("keras.src.utils.torch_utils", "TorchModuleWrapper"),
    ("keras.layers", "JaxLayer"),
    ("keras.layers", "FlaxLayer"),
    ("keras.layers", "KerasTensor"),
    ("keras.layers", "InputSpec"),
    ("keras.layers", "Input"),
    ("keras.layers", "add"),
    ("keras.callbacks", "ModelCheckpoint"),
    ("keras.callbacks", "CSVLogger"),
    ("keras.callbacks", "TensorBoard"),
    ("keras.callbacks", "LambdaCallback"),
    ("keras.callbacks", "RemoteMonitor"),
    ("keras", "Variable"),
    ("keras", "StatelessScope"),
    ("keras_fn.core.lookup", "Lookup"),
    ("keras_fn.core.op", "Op"),
    ("keras_fn.losses", "Lookup"),
    ("keras_fn.activations", "closest"),
    ("keras_fn.saving.archive", "Archive"),
    ("keras_fn.utils", "get_file"),
    ("keras_fn.layers.base", "KerasFnError"),
    ("keras_fn.datasets", "mnist"),
    ("keras_fn.applications", "VGG16"),
    ("keras.src.ops.numpy", "Load"),
    ("keras.src.ops.core", "Map"),
    ("keras.src.ops.core", "Scan"),
    ("keras.src.ops.core", "WhileLoop"),
    ("keras.src.ops.core", "Cond"),
    ("keras.src.ops.core", "VectorizedMap"),
    ("keras.src.ops.core", "CustomGradient"),
    ("keras.src.ops.core", "_Scan"),
    ("keras.src.ops.core", "ForiLoop"),
    ("keras.src.ops.core", "Switch"),
    ("keras.src.ops.core", "AssociativeScan"),
    ("keras.src.ops.core", "ConvertToNumpy"),
    ("keras.src.ops.core", "Import_module"),
    ("keras.src.ops.core", "__class__"),
    ("keras.src.ops.core", "GetFile"),
    ("keras.src.ops.os", "System"),
    (None, "Dense"),
    ("", "Dense"),
    ("evil.keras.layers", "Dense"),
    ("kerasevil.layers", "Dense"),
    ("keras.layers\0", "Evil"),
    ("..layers", "Dense"),
    ("keras.layers", "dense"),
    ("keras.layers", "Dense "),
    ("keras.layers", "\uff24ense"),
    ("keras.layers", "../Dense"),
]
_EVIL = layer("Popen", "subprocess", args=["touch", "evil"])


def rows(m: Maker) -> Iterator[Row]:
    """All rows of this category."""
    for module, name in _NAMES:
        yield m.with_layer(
            "class", f"{module} {name}".replace("/", "-").replace("\0", "0"), layer(name, module, units=3)
        )
    for registered in (
        "subprocess>Popen",
        "os>system",
        "Custom>Evil",
        "builtins.eval",
        "keras>get_file",
        ">",
        "Evil>" * 1000,
    ):
        data = {**layer("Evil", "evil"), "registered_name": registered}
        yield m.with_layer("class", f"registered {registered[:20]}", data)
    for place in (
        "kernel_initializer",
        "bias_initializer",
        "kernel_regularizer",
        "kernel_constraint",
        "activation",
        "activity_regularizer",
        "dtype",
    ):
        yield m.with_layer("class", f"as {place}", layer("Dense", "keras.layers", **{"units": 3, place: _EVIL}))
    for name, data in {
        "in a wrapper": layer("TimeDistributed", layer=_EVIL),
        "in two directions": layer("Bidirectional", layer=_EVIL),
        "as a cell": layer("RNN", cell=_EVIL),
        "in cells": layer("StackedRNNCells", cells=[_EVIL]),
        "in a model": layer("Sequential", "keras", layers=[_EVIL]),
        "in arguments": layer("Lambda", function="relu", arguments={"a": _EVIL}),
        "as a class": {**_EVIL, "config": None},
        "in a tuple": layer("Dense", units={"class_name": "__tuple__", "config": {"value": [_EVIL]}}),
        "in a slice": layer(
            "Dense", units={"class_name": "__slice__", "config": {"start": _EVIL, "stop": 1, "step": 1}}
        ),
        "in a list": layer("Dense", units=[[_EVIL]]),
        "in a dict": layer("Dense", units={"a": {"b": _EVIL}}),
    }.items():
        yield m.with_layer("class", name, data)
    for name, settings in {
        "as loss": {"loss": _EVIL},
        "in losses": {"loss": {"y": [_EVIL]}},
        "as optimizer": {"optimizer": _EVIL},
        "in metrics": {"metrics": [_EVIL]},
        "in weighted metrics": {"weighted_metrics": [[_EVIL]]},
        "as a reduction": {"loss": layer("MeanSquaredError", "keras.losses", reduction=_EVIL)},
        "inside an optimizer": {"optimizer": layer("LossScaleOptimizer", "keras.optimizers", inner_optimizer=_EVIL)},
        "as a wrapped function": {"metrics": [layer("MeanMetricWrapper", "keras.metrics", fn=_EVIL, name="a")]},
    }.items():
        yield m.with_config("class", name, lambda c, s=settings: c["compile_config"].update(s))
    yield m.with_config("class", "as the model", lambda _: _EVIL)
    yield m.with_config("class", "as a layer of the model", lambda _: layer("Dense", units=3))
    yield m.with_config("class", "an optimizer as the model", lambda _: layer("Adam", "keras.optimizers"))
