"""`Trainer`: compile, fit, evaluate and predict of a model. The loop is in loop.py, the programs in programs.py."""

from __future__ import annotations

import inspect
import weakref
from collections.abc import Iterator
from typing import Any

from keras_fn.core import trees
from keras_fn.core.arguments import checking
from keras_fn.core.backend import active
from keras_fn.core.errors import ArgumentError, ArgumentTypeError, NotBuiltError
from keras_fn.core.gradients import value_and_grad
from keras_fn.core.masks import get_mask, set_mask
from keras_fn.core.tape import calls, is_own
from keras_fn.core.version import structure
from keras_fn.trainer import loop, predicting
from keras_fn.trainer.losses import CompiledLoss
from keras_fn.trainer.metrics import CompiledMetrics
from keras_fn.trainer.programs import Programs, state_of
from keras_fn.trainer.settings import check_outputs, check_settings, check_switches


class Trainer:
    """What a model needs to be trained. Override `train_step`, `test_step`, `predict_step` or `compute_loss`."""

    def __init__(self) -> None:
        self._kf_compiled = False
        self._kf_loss: CompiledLoss | None = None
        self._kf_metrics: CompiledMetrics | None = None
        self._kf_loss_tracker: Any = None
        self._kf_programs: Programs | None = None
        self._kf_compile_args: dict[str, Any] | None = None
        self._kf_cache: dict[str, Any] = {}
        self._kf_run: Any = None
        self.stop_training = False
        self.stop_evaluating = False
        self.stop_predicting = False
        self.optimizer: Any = None
        self.run_eagerly = False
        self.jit_compile: Any = "auto"
        self.steps_per_execution: Any = "auto"

    # --- compile
    @checking
    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool = False,
        steps_per_execution: Any = "auto",
        jit_compile: Any = "auto",
        auto_scale_loss: bool = True,
    ) -> None:
        """Says how the model is trained.

        Args:
            optimizer: an optimizer, or its name.
            loss: a loss, its name, or a function `(y_true, y_pred) -> values`; for several outputs a list by position
                or a dict by output name.
            loss_weights: factors of the losses, likewise.
            metrics: metrics to watch; for several outputs lists by position or a dict by output name.
            weighted_metrics: metrics that take the sample weights.
            run_eagerly: whether steps run uncompiled, for debugging.
            steps_per_execution: batches in one dispatch of `fit` and `evaluate`; "auto" measures what pays for arrays,
                and takes batches of iterables one by one.
            jit_compile: whether to compile with the framework's compiler where there is a choice; "auto" where it pays.
            auto_scale_loss: whether the optimizer of a model of the policy "mixed_float16" is put into a
                `LossScaleOptimizer`, unless it scales the loss itself.
        """
        from keras_fn import optimizers

        check_switches(steps_per_execution, jit_compile, run_eagerly)
        check_settings(loss, loss_weights, metrics, weighted_metrics)
        self._kf_compile_args = {
            "optimizer": optimizer,
            "loss": loss,
            "loss_weights": loss_weights,
            "metrics": metrics,
            "weighted_metrics": weighted_metrics,
            "run_eagerly": run_eagerly,
            "steps_per_execution": steps_per_execution,
            "jit_compile": jit_compile,
        }
        self.optimizer = optimizers.get(optimizer)
        if auto_scale_loss:
            self.optimizer = optimizers.with_loss_scale(self.optimizer, self.dtype_policy)  # type: ignore[attr-defined]
        else:
            self._kf_compile_args["auto_scale_loss"] = False
        self.loss = loss
        self._set_compiled(loss, loss_weights, metrics, weighted_metrics)
        check_outputs(self, self._kf_loss, self._kf_metrics)
        from keras_fn.metrics import Mean

        self._kf_loss_tracker = Mean(name="loss")
        self.run_eagerly = run_eagerly
        self.jit_compile = jit_compile
        self.steps_per_execution = steps_per_execution
        self.stop_training = False
        self._kf_compiled = True
        self._kf_program_changed()

    def __getstate__(self) -> dict[str, Any]:
        state: Any = super().__getstate__()  # type: ignore[misc]
        gone = dict.fromkeys(("_kf_programs", "_kf_loss", "_kf_metrics", "_kf_run", "history"))
        return {**state, **gone, "_kf_cache": {}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        arguments = self._kf_compile_args
        if arguments is not None:
            self._set_compiled(**{k: arguments[k] for k in ("loss", "loss_weights", "metrics", "weighted_metrics")})

    def _set_compiled(self, loss: Any, loss_weights: Any, metrics: Any, weighted_metrics: Any) -> None:
        self._kf_loss = None if loss is None else CompiledLoss(self, loss, loss_weights)
        self._kf_metrics = CompiledMetrics(self, metrics, weighted_metrics)

    @property
    def compiled(self) -> bool:
        """Whether `compile` was called."""
        return self._kf_compiled

    def _kf_program_changed(self) -> None:
        self._kf_programs = None
        self._kf_cache = {}

    def _kf_require_compiled(self, method: str) -> None:
        if not self._kf_compiled:
            raise NotBuiltError(
                f"`{method}` needs to know the optimizer and the loss: call `model.compile(optimizer=…, loss=…)` first."
            )

    def get_compile_config(self) -> dict[str, Any] | None:
        """The arguments of `compile` as plain data; None where it was not called."""
        if not self._kf_compiled or self._kf_compile_args is None:
            return None
        from keras_fn.saving.config import serialize_keras_object

        config = {**self._kf_compile_args, "optimizer": self.optimizer}
        if config["steps_per_execution"] == "auto":
            config["steps_per_execution"] = 1
        return serialize_keras_object(config)

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Calls `compile` with the arguments in a config, and makes the optimizer's state."""
        from keras_fn.saving.config import deserialize_keras_object

        names = inspect.signature(Trainer.compile).parameters
        arguments = {k: deserialize_keras_object(v) for k, v in config.items() if k in names}
        if arguments.get("steps_per_execution") == 1 and arguments["steps_per_execution"] is not True:
            arguments["steps_per_execution"] = "auto"
        self.compile(**arguments)
        if self.optimizer is not None and self.built:  # type: ignore[attr-defined]
            self.optimizer.build(self.trainable_variables)  # type: ignore[attr-defined]

    # --- cached lists, good until a weight is made or `trainable` changes
    def _kf_cached(self, name: str, make: Any) -> Any:
        cached = self._kf_cache.get(name)
        if cached is None or cached[0] != structure.value:
            value = make()
            self._kf_cache[name] = cached = (structure.value, value)
        return cached[1]

    @property
    def _kf_trainables(self) -> list[Any]:
        return self._kf_cached("trainable", lambda: self.trainable_variables)  # type: ignore[attr-defined]

    @property
    def _kf_state(self) -> list[Any]:
        """Every variable that a step may read or write."""
        return state_of(self)

    @property
    def metrics(self) -> list[Any]:
        """The loss's running mean, the metrics given to `compile`, and those held by the model."""
        return self._kf_cached("metrics", self._kf_all_metrics)

    def _kf_all_metrics(self) -> list[Any]:
        from keras_fn.layers.base import Layer
        from keras_fn.layers.tracking import unique_by_id

        found: list[Any] = []
        if self._kf_loss_tracker is not None:
            found.append(self._kf_loss_tracker)
        if self._kf_metrics is not None:
            found += self._kf_metrics.metrics()
        if self._kf_loss is not None:
            found += self._kf_loss.metrics()
        found += Layer.metrics.fget(self)  # type: ignore[attr-defined]
        return unique_by_id(found)

    @property
    def metrics_names(self) -> list[str]:
        """Names of the metrics."""
        return [m.name for m in self.metrics]

    @property
    def metrics_variables(self) -> list[Any]:
        """The variables of the metrics."""
        return [v for m in self.metrics for v in m.variables]

    def reset_metrics(self) -> None:
        """Begins all metrics anew."""
        for m in self.metrics:
            m.reset_state()

    def get_metrics_result(self) -> dict[str, Any]:
        """Current values by name."""
        out: dict[str, Any] = {}
        if self._kf_loss_tracker is not None:
            out["loss"] = self._kf_loss_tracker.result()
        named = set()
        if self._kf_metrics is not None:
            out.update(self._kf_metrics.results())
            named = {id(m) for m in self._kf_metrics.metrics()}
        for m in self.metrics:
            if m is not self._kf_loss_tracker and id(m) not in named:
                value = m.result()
                out.update(value) if isinstance(value, dict) else out.__setitem__(m.name, value)
        return out

    # --- the steps
    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """The scalar to minimise: the losses of `compile`, those that layers added, and penalties."""
        from keras_fn import ops

        parts = []
        if self._kf_loss is not None:
            parts.append(self._kf_loss(y, y_pred, sample_weight))
        for extra in self.losses:  # type: ignore[attr-defined]
            parts.append(ops.sum(extra) if len(getattr(extra, "shape", ())) else extra)
        if not parts:
            raise ArgumentError(
                "There is no loss to minimise: pass `loss=` to `compile`, add one with `add_loss` in a layer, or "
                "override `compute_loss`."
            )
        total = parts[0]
        for part in parts[1:]:
            total = ops.add(total, part)
        return total

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> dict[str, Any]:
        """Updates the metrics with a batch and returns all values."""
        self._kf_update_metrics(y, y_pred, sample_weight)
        return self.get_metrics_result()

    def _kf_update_metrics(self, y: Any, y_pred: Any, sample_weight: Any) -> None:
        if self._kf_metrics is not None:
            self._kf_metrics.update(y, y_pred, sample_weight)

    def train_step(self, data: Any) -> dict[str, Any]:
        """One update of the weights from a batch `(x,)`, `(x, y)` or `(x, y, sample_weight)`; returns the logs.

        Override it with this signature in code of any kind: `keras_fn.value_and_grad` (every backend),
        tf.GradientTape (TensorFlow), `.backward()` (torch). On JAX the form `train_step(self, state, data)` returns
        `(logs, state)`.
        """
        x, y, sample_weight = unpack(data)
        self._kf_train_on(x, y, sample_weight)
        return self.get_metrics_result()

    def _kf_train_on(self, x: Any, y: Any, sample_weight: Any) -> None:
        def forward() -> Any:
            y_pred = self(x, training=True)  # type: ignore[operator]
            loss = self._kf_loss_of(x, y, y_pred, sample_weight, training=True)
            scaled = self.optimizer.scale_loss(loss) if self.optimizer is not None else loss
            return scaled, (loss, y_pred, [get_mask(t) for t in trees.flatten(y_pred)])

        variables = self._kf_trainables
        if variables:
            (_, (loss, y_pred, masks)), grads = value_and_grad(forward, variables, has_aux=True)()
            calls(self.optimizer.apply, is_own(type(self.optimizer)), grads, variables)
        else:
            _, (loss, y_pred, masks) = forward()
        for t, mask in zip(trees.flatten(y_pred), masks, strict=True):
            if mask is not None:  # where what is differentiated is a function, other tensors come out of it
                set_mask(t, mask)
        with active.backend.inference():
            self._kf_count_loss(x, loss)
            self._kf_update_metrics(y, y_pred, sample_weight)

    def _kf_loss_of(self, *args: Any, **kwargs: Any) -> Any:
        if is_own(type(self).compute_loss):
            return self.compute_loss(*args, **kwargs)
        ref = weakref.ref(self)  # a plan keeps the call, and must not keep the model
        return calls(lambda *a, **k: ref().compute_loss(*a, **k), False, *args, **kwargs)  # type: ignore[union-attr]

    def _kf_count_loss(self, x: Any, loss: Any) -> None:
        from keras_fn import ops

        leaves = [leaf for leaf in trees.flatten(x) if leaf is not None]
        self._kf_loss_tracker.update_state(ops.stop_gradient(loss), sample_weight=ops.shape(leaves[0])[0])

    def test_step(self, data: Any) -> dict[str, Any]:
        """Updates loss and metrics from a batch, without training; returns the logs."""
        x, y, sample_weight = unpack(data)
        self._kf_test_on(x, y, sample_weight)
        return self.get_metrics_result()

    def _kf_test_on(self, x: Any, y: Any, sample_weight: Any) -> None:
        y_pred = self(x, training=False)  # type: ignore[operator]
        loss = self._kf_loss_of(x, y, y_pred, sample_weight, training=False)
        self._kf_count_loss(x, loss)
        self._kf_update_metrics(y, y_pred, sample_weight)

    def predict_step(self, data: Any) -> Any:
        """The outputs for a batch."""
        x, _, _ = unpack(data)
        return self(x, training=False)  # type: ignore[operator]

    # --- the loops
    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Any = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool = True,
        class_weight: Any = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: Any = 1,
        resume: Any = None,
    ) -> Any:
        """Trains the model.

        Ctrl-C ends training after the step that is running, so that the weights are those of whole steps.

        Args:
            x: inputs: arrays, a list or dict of them; or an iterable of batches (generator, tf.data, DataLoader).
            y: targets, in the structure of the outputs or by output name.
            batch_size: samples a batch, 32 by default.
            epochs: number of the epoch to stop after.
            verbose: 0 silent, 1 a progress bar, 2 a line an epoch; "auto" is 1.
            callbacks: a list of callbacks.
            validation_split: fraction of the arrays' last rows to validate with.
            validation_data: `(x, y)` or `(x, y, sample_weight)` or an iterable, to validate with.
            shuffle: whether arrays are shuffled each epoch.
            class_weight: class id -> weight; or output name -> such a dict.
            sample_weight: a weight for each sample (and output).
            initial_epoch: number of the epoch to begin with.
            steps_per_epoch: batches an epoch; until the data ends where None.
            validation_steps: batches of a validation.
            validation_batch_size: samples a batch of a validation.
            validation_freq: validate every so many epochs, or after the epochs listed.
            resume: a folder for backups. After each epoch, training is noted there; called again with the same
                folder, by the same program after it was stopped or killed, `fit` goes on from there, to the results
                that one run would have had. With more `epochs`, a run that has ended goes on. `BackupAndRestore`
                among the callbacks does the same with more choices.

        Returns:
            A History: `history.history` holds a list of values for each log.
        """
        self._kf_require_compiled("fit")
        return loop.fit(
            self, x, y, batch_size, epochs, verbose, callbacks, validation_split, validation_data, shuffle,
            class_weight, sample_weight, initial_epoch, steps_per_epoch, validation_steps, validation_batch_size,
            validation_freq, resume,
        )  # fmt: skip

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: Any = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Any = None,
        return_dict: bool = False,
        **kwargs: Any,
    ) -> Any:
        """Loss and metrics on data. Arguments as those of `fit`.

        Returns:
            The loss, or a list `[loss, metrics…]`, or a dict by name where `return_dict`.
        """
        self._kf_require_compiled("evaluate")
        if kwargs:
            raise ArgumentTypeError(f"`evaluate` got unknown arguments: {', '.join(kwargs)}.")
        return loop.evaluate(self, x, y, batch_size, verbose, sample_weight, steps, callbacks, return_dict)

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: Any = "auto",
        steps: int | None = None,
        callbacks: Any = None,
        out: Any = None,
    ) -> Any:
        """The outputs for all samples, as NumPy arrays in the structure of the outputs.

        Args:
            x: inputs: arrays, a list or dict of them; or an iterable of batches.
            batch_size: samples a batch, 32 by default.
            verbose: as in `fit`.
            steps: batches to predict for; until the data ends where None.
            callbacks: a list of callbacks.
            out: arrays (or memory maps) to write the outputs into, in the structure of the outputs; they come back.
        """
        return predicting.predict(self, x, batch_size, verbose, steps, callbacks, out)

    def predict_iter(self, x: Any, batch_size: int | None = None, steps: int | None = None) -> Iterator[Any]:
        """The outputs batch by batch, as an iterator of NumPy arrays: for more outputs than fit into memory.

        Args:
            x, batch_size, steps: as in `predict`.

        Example:
            >>> import keras_fn
            >>> import numpy as np
            >>> model = keras_fn.Sequential([keras_fn.Input((2,)), keras_fn.layers.Dense(1)])
            >>> [len(part) for part in model.predict_iter(np.ones((5, 2)), batch_size=2)]
            [2, 2, 1]
        """
        return predicting.predict_iter(self, x, batch_size, steps)

    def train_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, class_weight: Any = None, return_dict: bool = False
    ) -> Any:
        """One update from one batch. Metrics go on from where they were; `reset_metrics` begins them anew."""
        self._kf_require_compiled("train_on_batch")
        return loop.on_batch(self, "train", x, y, sample_weight, class_weight, return_dict)

    def test_on_batch(self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False) -> Any:
        """Loss and metrics on one batch."""
        self._kf_require_compiled("test_on_batch")
        return loop.on_batch(self, "test", x, y, sample_weight, None, return_dict)

    def predict_on_batch(self, x: Any) -> Any:
        """The outputs for one batch, as NumPy arrays."""
        return predicting.predict_on_batch(self, x)


def unpack(data: Any) -> tuple[Any, Any, Any]:
    """`(x, y, sample_weight)` of a batch, with None for what is not there."""
    if not isinstance(data, tuple):
        return data, None, None
    return (*data, *(None,) * (3 - len(data)))  # type: ignore[return-value]
