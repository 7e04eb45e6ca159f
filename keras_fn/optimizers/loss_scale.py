"""LossScaleOptimizer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keras_fn import ops
from keras_fn.core.arguments import Count, Positive
from keras_fn.core.errors import ArgumentError, ArgumentTypeError
from keras_fn.core.variable import Variable
from keras_fn.initializers import Constant
from keras_fn.optimizers import gradients as G
from keras_fn.optimizers.base import Optimizer, writing_where


def with_loss_scale(optimizer: Any, policy: Any) -> Any:
    """The optimizer, inside a `LossScaleOptimizer` where the policy computes in float16 on weights of float32.

    One that scales the loss itself (by `loss_scale_factor`) stays as it is, and so does an object that is no optimizer.
    """
    mixed = (policy.compute_dtype, policy.variable_dtype) == ("float16", "float32")
    if not mixed or not isinstance(optimizer, Optimizer) or isinstance(optimizer, LossScaleOptimizer):
        return optimizer
    return optimizer if optimizer.loss_scale_factor is not None else LossScaleOptimizer(optimizer)


class LossScaleOptimizer(Optimizer):
    """Scales the loss up, so that small gradients of float16 models do not vanish, and takes the scale out again.

    A step whose gradients are not all finite is left out, and the scale is halved; after `dynamic_growth_steps` good
    steps in a row it is doubled.

    Source: https://arxiv.org/abs/1710.03740

    Args:
        inner_optimizer: the optimizer that takes the steps.
        initial_scale: scale in the beginning.
        dynamic_growth_steps: good steps in a row after which the scale doubles.
        name: name.

    Example:
        >>> import keras_fn
        >>> optimizer = LossScaleOptimizer(keras_fn.optimizers.SGD(1.0), initial_scale=4.0)
        >>> w = keras_fn.Variable([1.0])
        >>> optimizer.apply([[4.0]], [w])
        >>> w.numpy().tolist()
        [0.0]
    """

    def __init__(
        self,
        inner_optimizer: Optimizer,
        initial_scale: Positive = 32768.0,
        dynamic_growth_steps: Count = 2000,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        if not isinstance(inner_optimizer, Optimizer):
            raise ArgumentTypeError(f"`inner_optimizer` must be an Optimizer, not {inner_optimizer!r}.")
        if inner_optimizer.loss_scale_factor is not None:
            raise ArgumentError("The inner optimizer has a `loss_scale_factor` of its own: leave it out.")
        super().__init__(learning_rate=0.0, name=name, **kwargs)
        self.inner_optimizer = inner_optimizer
        self.initial_scale = initial_scale
        self.dynamic_growth_steps = dynamic_growth_steps
        self.step_counter = self.add_variable((), dtype="int32", name="step_counter")
        self.dynamic_scale = self.add_variable((), Constant(float(initial_scale)), "float32", name="dynamic_scale")

    def build(self, variables: Any) -> None:
        if self.built:
            return
        self._trainable = list(variables)
        self._index = {id(v): i for i, v in enumerate(self._trainable)}
        self.inner_optimizer.build(self._trainable)
        self.built = True

    @property
    def variables(self) -> list[Variable]:
        return [*self._variables, *self.inner_optimizer.variables]

    @property
    def learning_rate(self) -> Any:
        return self.inner_optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        self.inner_optimizer.learning_rate = value

    @property
    def iterations(self) -> Any:
        return self.inner_optimizer.iterations

    @property
    def use_ema(self) -> bool:
        """Whether the inner optimizer keeps moving averages."""
        return getattr(self, "inner_optimizer", None) is not None and self.inner_optimizer.use_ema

    @use_ema.setter
    def use_ema(self, value: bool) -> None:
        if value:
            raise ArgumentError("Give `use_ema` to the inner optimizer.")

    def _step(self, grads: list[Any], variables: list[Variable]) -> None:
        scale = self.dynamic_scale.value
        finite = G.all_finite(grads)
        with writing_where(finite):
            unscaled = [ops.true_divide(g, ops.cast(scale, v._dtype)) for g, v in zip(grads, variables, strict=True)]
            self.inner_optimizer.apply(unscaled, variables)
        count = ops.add(self.step_counter.value, 1)
        grown = ops.greater_equal(count, self.dynamic_growth_steps)
        better = ops.where(grown, ops.multiply(scale, 2.0), scale)
        self.dynamic_scale.assign(ops.where(finite, better, ops.multiply(scale, 0.5)))
        self.step_counter.assign(ops.where(ops.logical_and(finite, ops.logical_not(grown)), count, 0))

    def scale_loss(self, loss: Any) -> Any:
        """The loss times the scale of now (or the first one, before the first step)."""
        return ops.multiply(loss, self.dynamic_scale if self.built else self.initial_scale)

    def finalize_variable_values(self, var_list: Any) -> None:
        self.inner_optimizer.finalize_variable_values(var_list)

    def get_config(self) -> dict[str, Any]:
        from keras_fn.saving.config import serialize_keras_object

        return {
            "name": self.name,
            "inner_optimizer": serialize_keras_object(self.inner_optimizer),
            "initial_scale": self.initial_scale,
            "dynamic_growth_steps": self.dynamic_growth_steps,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None) -> LossScaleOptimizer:
        from keras_fn.saving.config import deserialize_keras_object

        inner = deserialize_keras_object(config["inner_optimizer"], custom_objects=custom_objects)
        return cls(**{**config, "inner_optimizer": inner})
