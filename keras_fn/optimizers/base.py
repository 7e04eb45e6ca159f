"""`Optimizer`: writes a step of gradient descent into variables. The rules are pure functions (see `rules.py`)."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar

from keras_fn import ops
from keras_fn.core import naming
from keras_fn.core.arguments import Checked, NonNegative, Positive, Share, is_number
from keras_fn.core.backend import active
from keras_fn.core.context import context
from keras_fn.core.errors import ArgumentError, ArgumentTypeError, NotBuiltError, StructureError, printable
from keras_fn.core.tape import calls, is_own
from keras_fn.core.variable import StatelessScope, Variable
from keras_fn.core.version import structure
from keras_fn.initializers import Constant, Zeros
from keras_fn.initializers import get as initializer
from keras_fn.optimizers import gradients as G
from keras_fn.optimizers.schedules.base import LearningRateSchedule

Rule = Callable[..., tuple[list[Any], dict[str, list[Any]]]]

_COMMON = (
    "learning_rate", "weight_decay", "clipnorm", "clipvalue", "global_clipnorm", "use_ema", "ema_momentum",
    "ema_overwrite_frequency", "loss_scale_factor", "gradient_accumulation_steps", "name",
)  # fmt: skip


def common(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments that all optimizers share, out of the `locals()` of a constructor."""
    return {**{name: arguments[name] for name in _COMMON}, **arguments.get("kwargs", {})}


class Optimizer(Checked):
    """Base of the optimizers.

    An optimizer keeps state of its own (slots: momentum and the like) for each variable. `apply(grads)` does one step:
    unscale, accumulate, clip, decay weights, update, constrain, average. All state is in Variables and nothing looks
    at values, so a step can be compiled.

    To write one: either give a pure update rule over lists of tensors,

    - `slots()`: the names of the slots, and `hyper`: the names of the rule's hyperparameters,
    - `rule(params, grads, slots, lr, step, **hyper)`, a static method that returns new params and slots,

    or, as in Keras, override `build` (with `add_variable_from_reference`) and `update_step`.

    Args:
        learning_rate: float; a `LearningRateSchedule`; or a function without arguments.
        weight_decay: share of a weight that is taken away a step, times the learning rate; None for none.
        clipnorm: largest norm of each gradient by itself.
        clipvalue: largest absolute value of an entry of a gradient.
        global_clipnorm: largest norm of all gradients together.
        use_ema: keep an exponential moving average of the weights, and put it in their place in the end.
        ema_momentum: share of the old average that is kept a step.
        ema_overwrite_frequency: steps after which the weights are set to their average, again and again; None: never.
        loss_scale_factor: factor of the loss, taken out of the gradients again.
        gradient_accumulation_steps: number of calls whose mean gradient makes one step; None for 1.
        name: name; None for the class's.

    Example:
        >>> import keras_fn
        >>> w = keras_fn.Variable([1.0, 2.0])
        >>> keras_fn.optimizers.SGD(learning_rate=0.5).apply([[1.0, 1.0]], [w])
        >>> w.numpy().tolist()
        [0.5, 1.5]
    """

    hyper: ClassVar[tuple[str, ...]] = ()
    # slots that belong to no variable: name -> initial value
    shared: ClassVar[dict[str, float]] = {}
    rule: ClassVar[Rule]

    def __init__(
        self,
        learning_rate: Any,
        weight_decay: NonNegative | None = None,
        clipnorm: Positive | None = None,
        clipvalue: Positive | None = None,
        global_clipnorm: Positive | None = None,
        use_ema: bool = False,
        ema_momentum: Share = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: Positive | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        learning_rate = _old_arguments(kwargs, learning_rate, type(self).__name__)
        self.name = name or naming.unique(naming.snake_case(type(self).__name__))
        self.weight_decay = weight_decay
        self.clipnorm = clipnorm
        self.clipvalue = clipvalue
        self.global_clipnorm = global_clipnorm
        self.use_ema = use_ema
        self.ema_momentum = ema_momentum
        self.ema_overwrite_frequency = ema_overwrite_frequency
        self.loss_scale_factor = loss_scale_factor
        self.gradient_accumulation_steps = gradient_accumulation_steps
        self._check()
        self.built = False
        self.backend = active.backend
        self._variables: list[Variable] = []
        self._trainable: list[Variable] = []
        self._index: dict[int, int] = {}
        self._slots: dict[str, list[Variable]] = {}
        self._averages: list[Variable] = []
        self._accumulators: list[Variable] = []
        self._undecayed: set[int] = set()
        self._undecayed_names: list[str] = []
        self._iterations = self.add_variable((), dtype="int32", name="iteration", aggregation="only_first_replica")
        self._learning_rate: Any = self._held_learning_rate(learning_rate)

    def _check(self) -> None:
        clips = {n: getattr(self, n) for n in ("clipnorm", "clipvalue", "global_clipnorm")}
        if sum(c is not None for c in clips.values()) > 1:
            given = ", ".join(f"{n}={c}" for n, c in clips.items() if c is not None)
            raise ArgumentError(f"Give one of clipnorm, clipvalue and global_clipnorm, not several: {given}.")
        frequency = self.ema_overwrite_frequency
        if self.use_ema and frequency is not None and frequency < 1:
            raise ArgumentError(f"`ema_overwrite_frequency` must be an integer above 0 or None, not {frequency!r}.")
        steps = self.gradient_accumulation_steps
        if steps is not None and steps < 2:
            raise ArgumentError(f"`gradient_accumulation_steps` must be an integer, 2 or more, or None, not {steps!r}.")

    def _held_learning_rate(self, value: Any) -> Any:
        if isinstance(value, dict):
            from keras_fn.optimizers import schedules

            value = schedules.deserialize(value)
        if isinstance(value, (LearningRateSchedule, Variable)) or (callable(value) and not isinstance(value, type)):
            return value
        rate: Any = value
        if not is_number(rate) or not math.isfinite(rate):
            raise ArgumentError(
                "`learning_rate` must be a finite float, a LearningRateSchedule or a function that returns the rate, "
                f"not {printable(repr(value), 200)}."
            )
        return self.add_variable(
            (), Constant(float(rate)), "float32", name="learning_rate", aggregation="only_first_replica"
        )

    # --- state
    def build(self, variables: Iterable[Variable]) -> None:
        """Makes the state for the variables that will be optimized. `apply` does it at its first call."""
        if self.built:
            return
        self._trainable = list(variables)
        self._index = {id(v): i for i, v in enumerate(self._trainable)}
        if self.use_ema:
            self._averages = self.add_optimizer_variables(self._trainable, "average")
        if self.gradient_accumulation_steps:
            self._accumulators = self.add_optimizer_variables(self._trainable, "gradient_accumulator")
        self._undecayed |= {
            id(v) for v in self._trainable if any(name in v.path for name in self._undecayed_names)
        }
        self.build_slots()
        self.built = True

    def slots(self) -> list[tuple[str, ...]]:
        """Names of the slots. Those of a group lie interleaved in `variables`: all of one variable, then the next."""
        return []

    def slot_initializer(self, slot: str) -> Any:
        """What a slot holds before the first step."""
        return "zeros"

    def build_slots(self) -> None:
        """Makes the slots."""
        for group in self.slots():
            for slot in group:
                self._slots[slot] = []
            for variable in self._trainable:
                for slot in group:
                    made = self.add_variable_from_reference(variable, slot, self.slot_initializer(slot))
                    self._slots[slot].append(made)
        for slot, value in self.shared.items():
            self._slots[slot] = [self.add_variable((), Constant(value), self._float(), name=slot)]

    def _float(self) -> str:
        return self._trainable[0]._dtype if self._trainable else "float32"

    def add_variable(
        self,
        shape: Any,
        initializer: Any = "zeros",
        dtype: Any = None,
        aggregation: str = "none",
        layout: Any = None,
        name: str | None = None,
    ) -> Variable:
        """A variable that belongs to the optimizer's state."""
        before, context.path = context.path, (self.name,)
        try:
            made = Variable(
                _values(initializer), shape, dtype, False, aggregation=aggregation, name=name, layout=layout
            )
        finally:
            context.path = before
        self._variables.append(made)
        return made

    def add_variable_from_reference(
        self, reference_variable: Variable, name: str | None = None, initializer: Any = "zeros"
    ) -> Variable:
        """A variable of the shape and dtype of another one, in the optimizer's state."""
        path = reference_variable.path.replace("/", "_")
        made = self.add_variable(
            reference_variable.shape,
            initializer,
            reference_variable._dtype,
            layout=reference_variable.layout,
            name=f"{path}_{name}" if name else path,
        )
        made.arrange(reference_variable._kf_use)
        return made

    def add_optimizer_variables(
        self, trainable_variables: Iterable[Variable], name: Any, initializer: Any = "zeros"
    ) -> list[Any]:
        """One state variable for each of the given ones; or, for a list of names, a list for each name."""
        trainable_variables = list(trainable_variables)
        if isinstance(name, str):
            return [self.add_variable_from_reference(v, name, initializer) for v in trainable_variables]
        inits = list(initializer) if isinstance(initializer, (list, tuple)) else [initializer] * len(name)
        made: list[list[Variable]] = [[] for _ in name]
        for v in trainable_variables:
            for column, one, init in zip(made, name, inits, strict=True):
                column.append(self.add_variable_from_reference(v, one, init))
        return made

    @property
    def variables(self) -> list[Variable]:
        """All state: step count, learning rate (where it is a number), averages, accumulators, slots."""
        return list(self._variables)

    @property
    def iterations(self) -> Any:
        """Number of steps done: a Variable; with gradient accumulation, a tensor."""
        if self.gradient_accumulation_steps:
            return ops.floor_divide(self._iterations, self.gradient_accumulation_steps)
        return self._iterations

    @property
    def learning_rate(self) -> Any:
        """The rate now: a Variable where it is a number, else what the schedule gives for this step."""
        rate = self._learning_rate
        return rate if isinstance(rate, Variable) else self._current_learning_rate()

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        held = self._learning_rate
        scheduled = isinstance(value, LearningRateSchedule) or (callable(value) and not isinstance(value, Variable))
        if isinstance(held, Variable) and not scheduled:
            held.assign(value)
            return
        if not scheduled:
            raise ArgumentTypeError(
                f"The learning rate of {self.name!r} is a {type(held).__name__}, which a number cannot replace. "
                "Make the optimizer with a float, or set another schedule."
            )
        structure.bump()
        if isinstance(held, Variable):
            self._variables = [v for v in self._variables if v is not held]
        self._learning_rate = value

    def __setattr__(self, name: str, value: Any) -> None:
        if self.__dict__.get("built") and (name in _SETTINGS or name in self.hyper):
            structure.bump()  # what is compiled, or planned, holds for what was
        object.__setattr__(self, name, value)

    def _current_learning_rate(self) -> Any:
        rate = self._learning_rate
        if isinstance(rate, LearningRateSchedule):
            return calls(rate, is_own(type(rate)), self._iterations)
        return rate if isinstance(rate, Variable) else calls(rate, False)

    def set_weights(self, weights: Iterable[Any]) -> None:
        """Sets the values of `variables`, in their order."""
        weights = list(weights)
        if len(weights) != len(self._variables):
            raise StructureError(
                f"{self.name!r} has {len(self._variables)} variables, and {len(weights)} values came. "
                "Call `build(trainable_variables)` first if it has not been built."
            )
        for variable, value in zip(self._variables, weights, strict=True):
            variable.assign(value)

    def save_own_variables(self, store: Any) -> None:
        """Writes the state into a store: number as text -> array."""
        for i, variable in enumerate(self.variables):
            store[str(i)] = variable.numpy()

    def load_own_variables(self, store: Any) -> None:
        """Reads the state from a store that `save_own_variables` filled."""
        if len(store) != len(self.variables):
            raise StructureError(
                f"The saved state of the optimizer {self.name!r} has {len(store)} variables, and it has "
                f"{len(self.variables)}. Saved optimizer and model must be the same, and built."
            )
        for i, variable in enumerate(self.variables):
            variable.assign(store[str(i)])

    def __getstate__(self) -> dict[str, Any]:
        # ids are not those of a copy's variables: their places are
        undecayed = [i for i, v in enumerate(self._trainable) if id(v) in self._undecayed]
        return {**self.__dict__, "_index": None, "_undecayed": undecayed}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._index = {id(v): i for i, v in enumerate(self._trainable)}
        self._undecayed = {id(self._trainable[i]) for i in state["_undecayed"]}

    def exclude_from_weight_decay(
        self, var_list: Iterable[Variable] | None = None, var_names: Iterable[str] | None = None
    ) -> None:
        """Takes variables out of the weight decay; to be called before `build`.

        Args:
            var_list: the variables.
            var_names: parts of paths: every variable whose path holds one of them.
        """
        if self.built:
            raise ArgumentError("`exclude_from_weight_decay` must be called before the optimizer is built.")
        self._undecayed |= {id(v) for v in var_list or ()}
        self._undecayed_names += list(var_names or ())

    def _decays(self, variable: Variable) -> bool:
        return id(variable) not in self._undecayed

    # --- a step
    def apply_gradients(self, grads_and_vars: Iterable[tuple[Any, Variable]]) -> Any:
        """One step with pairs `(gradient, variable)`; returns `iterations`."""
        grads, variables = zip(*grads_and_vars, strict=True)
        self.apply(grads, variables)
        return self._iterations

    def apply(self, grads: Iterable[Any], trainable_variables: Iterable[Variable] | None = None) -> None:
        """One step.

        Args:
            grads: gradients, each of its variable's shape; None for a variable that the loss does not depend on.
            trainable_variables: the variables, in the same order; None for those it was built with.

        Raises:
            StructureError: where gradients and variables do not match.
            ArgumentError: where no variable has a gradient.
        """
        grads = list(grads)
        if not grads:
            return
        with self.backend.inference():
            grads, variables = self._matched(grads, trainable_variables)
            self._step(grads, variables)

    def stateless_apply(
        self, optimizer_variables: list[Any], grads: list[Any], trainable_variables: list[Any]
    ) -> tuple[list[Any], list[Any]]:
        """A step on values: returns `(new trainable values, new optimizer values)` and changes nothing.

        Args:
            optimizer_variables: values of `variables`, in order.
            grads: gradients.
            trainable_variables: values of the variables that the optimizer was built with, in order.
        """
        self._require_built("stateless_apply")
        own = self.variables
        if len(optimizer_variables) != len(own) or len(trainable_variables) != len(self._trainable):
            raise StructureError(
                f"{self.name!r} has {len(own)} variables for {len(self._trainable)} trainable ones, and values of "
                f"{len(optimizer_variables)} and {len(trainable_variables)} came."
            )
        pairs = zip([*self._trainable, *own], [*trainable_variables, *optimizer_variables], strict=True)
        with StatelessScope(pairs) as scope:
            self.apply(grads)
        return (
            [scope.get_current_value(v) for v in self._trainable],
            [scope.get_current_value(v) for v in own],
        )

    def scale_loss(self, loss: Any) -> Any:
        """The loss times `loss_scale_factor`."""
        return loss if self.loss_scale_factor is None else ops.multiply(loss, self.loss_scale_factor)

    def _require_built(self, what: str) -> None:
        if not self.built:
            raise NotBuiltError(f"`{what}` needs to know the variables: call `optimizer.build(variables)` first.")

    def _matched(self, grads: list[Any], variables: Iterable[Variable] | None) -> tuple[list[Any], list[Variable]]:
        """Gradients and their variables, without those that have none."""
        if variables is None:
            self._require_built("apply(grads) without variables")
            found = self._trainable
        else:
            found = list(variables)
            if not self.built:
                self.build(found)
            unknown = [v for v in found if id(v) not in self._index]
            if unknown:
                raise StructureError(
                    f"The optimizer {self.name!r} was not built with {unknown[0]!r}. Make a new optimizer for a new "
                    "set of variables."
                )
        if len(grads) != len(found):
            raise StructureError(f"{len(grads)} gradients came for {len(found)} variables.")
        without = [v.path for g, v in zip(grads, found, strict=True) if g is None]
        if len(without) == len(grads):
            raise ArgumentError(f"No variable has a gradient (all are None): {', '.join(without)}.")
        if without:
            warnings.warn(f"No gradient for: {', '.join(without)}. They stay as they are.", stacklevel=4)
            pairs = [(g, v) for g, v in zip(grads, found, strict=True) if g is not None]
            grads, found = [g for g, _ in pairs], [v for _, v in pairs]
        return [self._tensor(g, v) for g, v in zip(grads, found, strict=True)], found

    def _tensor(self, grad: Any, variable: Variable) -> Any:
        if isinstance(grad, Variable):
            grad = grad.value
        if not self.backend.is_tensor(grad):
            if grad.__class__ in self.backend.sparse_classes:
                grad = self.backend.densify(grad)
            grad = self.backend.convert(grad, variable._dtype)
        elif self.backend.dtype_of(grad) != variable._dtype:
            grad = self.backend.cast(grad, variable._dtype)
        if tuple(grad.shape) != variable.shape:
            raise StructureError(
                f"The gradient for {variable.path!r} has the shape {tuple(grad.shape)} instead of {variable.shape}."
            )
        return grad

    def _step(self, grads: list[Any], variables: list[Variable]) -> None:
        grads, variables = self._written_directly(grads, variables)
        if self.loss_scale_factor is not None:
            grads = [ops.true_divide(g, self.loss_scale_factor) for g in grads]
        if variables:
            if self.gradient_accumulation_steps:
                self._accumulate(grads, variables)
            else:
                self._update(grads, variables)
            if self.use_ema:
                self._average(variables)
        self._iterations.assign_add(1)

    def _written_directly(self, grads: list[Any], variables: list[Variable]) -> tuple[list[Any], list[Variable]]:
        """Variables whose gradient is their new value (the scales of float8 layers) are written, and left out."""
        if not any(v.overwrite_with_gradient for v in variables):
            return grads, variables
        rest = []
        for grad, variable in zip(grads, variables, strict=True):
            if variable.overwrite_with_gradient:
                variable.assign(grad)
            else:
                rest.append((grad, variable))
        return [g for g, _ in rest], [v for _, v in rest]

    def _accumulate(self, grads: list[Any], variables: list[Variable]) -> None:
        """Adds the gradients up; every n-th call is a step with their mean."""
        n = self.gradient_accumulation_steps
        due = ops.equal(ops.mod(ops.add(self._iterations, 1), n), 0)
        held = [self._accumulators[self._index[id(v)]] for v in variables]
        totals = [ops.add(a.value, g) for a, g in zip(held, grads, strict=True)]
        with writing_where(due):
            self._update([ops.true_divide(t, n) for t in totals], variables)
        for accumulator, total in zip(held, totals, strict=True):
            accumulator.assign(ops.where(due, ops.zeros_like(total), total))

    def _update(self, grads: list[Any], variables: list[Variable]) -> None:
        grads = G.clipped(grads, self.clipnorm, self.clipvalue, self.global_clipnorm)
        rate = self._current_learning_rate()
        self._decay(variables, rate)
        if type(self).update_step is not Optimizer.update_step:
            for grad, variable in zip(grads, variables, strict=True):
                self.update_step(grad, variable, ops.cast(rate, variable._dtype))
        else:
            self._apply_rule(grads, variables, rate)
        for variable in variables:
            if variable.constraint is not None:
                variable.assign(calls(variable.constraint, is_own(type(variable.constraint)), variable.value))

    def _decay(self, variables: list[Variable], rate: Any) -> None:
        """`v -= v * weight_decay * learning_rate`. Source: https://arxiv.org/abs/1711.05101"""
        if self.weight_decay is None:
            return
        for v in variables:
            if self._decays(v):
                share = ops.multiply(ops.cast(rate, v._dtype), self.weight_decay)
                v.assign(ops.subtract(v.value, ops.multiply(v.value, share)))

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """Updates one variable; for subclasses that have no `rule`."""
        raise NotImplementedError(f"{type(self).__name__} must have a `rule`, or a method `update_step`.")

    def _apply_rule(self, grads: list[Any], variables: list[Variable], rate: Any) -> None:
        """The rule on lists of tensors, once for each dtype; a backend's own kernel of that name where it has one."""
        if getattr(type(self), "rule", None) is None:
            self.update_step(None, variables[0], rate)
        hyper = {name: getattr(self, name) for name in self.hyper}
        # a kernel may write into the tensors it gets: not where a scope holds values of somebody else
        kernel = self.backend.kernels.get(f"update_{self.rule.__name__}") if context.scope is None else None
        step = ops.add(self.iterations, 1)
        writes: list[tuple[Variable, Any, Any]] = []
        for dtype, chosen in _by_dtype(variables).items():
            cells = {
                slot: kept if slot in self.shared else [kept[self._index[id(variables[i])]] for i in chosen]
                for slot, kept in self._slots.items()
            }
            params = [variables[i].value for i in chosen]
            slots = {slot: [c.value for c in column] for slot, column in cells.items()}
            new, new_slots = (kernel or self.rule)(
                params, [grads[i] for i in chosen], slots, ops.cast(rate, dtype), ops.cast(step, dtype), **hyper
            )
            writes += zip([variables[i] for i in chosen], params, new, strict=True)
            for slot, values in new_slots.items():
                writes += zip(cells[slot], slots[slot], values, strict=True)
        for variable, old, value in writes:
            if value is not old:
                variable.assign(value)

    def _average(self, variables: list[Variable]) -> None:
        """The moving averages of the weights; and every so often, the averages in the weights' place."""
        done = self.iterations
        # the first step copies: an average that starts at 0 would be biased
        keep = ops.multiply(ops.cast(ops.not_equal(done, 0), "float32"), self.ema_momentum)
        overwrite = None
        if self.ema_overwrite_frequency:
            overwrite = ops.equal(ops.mod(ops.add(done, 1), self.ema_overwrite_frequency), 0)
        for v in variables:
            cell = self._averages[self._index[id(v)]]
            share = ops.cast(keep, v._dtype)
            old = cell.value
            value = v.value
            average = ops.add(ops.multiply(old, share), ops.multiply(value, ops.subtract(1.0, share)))
            cell.assign(average)
            if overwrite is not None:
                v.assign(ops.where(overwrite, average, value))

    def finalize_variable_values(self, var_list: Iterable[Variable]) -> None:
        """Puts the moving averages in the place of the weights, where `use_ema` is on. `fit` calls it in the end."""
        if not self.use_ema:
            return
        for variable in var_list:
            i = self._index.get(id(variable))
            if i is not None:
                variable.assign(self._averages[i].value)

    @contextmanager
    def averaged(self, variables: Iterable[Variable]) -> Iterator[None]:
        """The moving averages in the place of the weights for the length of a with block."""
        variables = [v for v in variables if self.use_ema and id(v) in self._index]
        before = [ops.add(v.value, 0) for v in variables]
        self.finalize_variable_values(variables)
        try:
            yield
        finally:
            for variable, value in zip(variables, before, strict=True):
                variable.assign(value)

    # --- config
    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, with the learning rate as it is now."""
        rate = self._learning_rate
        if isinstance(rate, Variable):
            rate = float(rate.numpy())
        else:
            from keras_fn.saving.config import serialize_keras_object

            rate = serialize_keras_object(rate)
        config = {"name": self.name, "learning_rate": rate}
        for name in (*_SETTINGS, *self.hyper):
            config[name] = getattr(self, name)
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Optimizer:
        """An optimizer from what `get_config` gave."""
        if isinstance(config.get("learning_rate"), dict):
            from keras_fn.optimizers import schedules

            rate = schedules.deserialize(config["learning_rate"], custom_objects)
            config = {**config, "learning_rate": rate}
        return cls(**config)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"


_SETTINGS = (
    "weight_decay", "clipnorm", "global_clipnorm", "clipvalue", "use_ema", "ema_momentum", "ema_overwrite_frequency",
    "loss_scale_factor", "gradient_accumulation_steps",
)  # fmt: skip


@contextmanager
def writing_where(condition: Any) -> Iterator[None]:
    """Writes of variables in the with block take place where a scalar condition (a tensor) holds, else not."""
    with StatelessScope() as scope:
        yield
    for key, variable in scope.written.items():
        variable.assign(ops.where(condition, scope.state_mapping[key], variable.value))


def _values(given: Any) -> Any:
    """An initializer for state: zeros without any look-up, as they are the rule."""
    return Zeros() if given == "zeros" else initializer(given)


def _by_dtype(variables: list[Variable]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for i, v in enumerate(variables):
        found.setdefault(v._dtype, []).append(i)
    return found


def _old_arguments(kwargs: dict[str, Any], learning_rate: Any, cls: str) -> Any:
    """The learning rate, with arguments of earlier Kerases taken out of `kwargs`."""
    if "lr" in kwargs:
        warnings.warn(f"`{cls}(lr=...)` is old: write `learning_rate=`.", DeprecationWarning, stacklevel=4)
        learning_rate = kwargs.pop("lr")
    if kwargs.pop("decay", None):
        warnings.warn(
            f"`{cls}(decay=...)` is gone and has no effect. Give "
            "`learning_rate=keras_fn.optimizers.schedules.InverseTimeDecay(rate, 1, decay)` instead.",
            DeprecationWarning,
            stacklevel=4,
        )
    if kwargs:
        raise ArgumentError(f"{cls} got unknown arguments: {', '.join(kwargs)}.")
    return learning_rate
