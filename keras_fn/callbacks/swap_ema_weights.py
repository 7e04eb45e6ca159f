"""`SwapEMAWeights`: evaluates and saves with the moving averages of the weights."""

from __future__ import annotations

from typing import Any

from keras_fn import ops
from keras_fn.callbacks.callback import Callback
from keras_fn.core.backend import active
from keras_fn.core.errors import ArgumentError


class SwapEMAWeights(Callback):
    """Puts the optimizer's moving averages in the place of the weights for evaluation, prediction and saving.

    The optimizer must keep them: `use_ema=True`.

    Args:
        swap_on_epoch: swap at the end of each epoch, so that callbacks behind this one save the averages, and back at
            the beginning of the next; else around each evaluation and prediction.

    Example:
        >>> import keras_fn
        >>> swap = keras_fn.callbacks.SwapEMAWeights()
    """

    def __init__(self, swap_on_epoch: bool = False) -> None:
        super().__init__()
        self.swap_on_epoch = swap_on_epoch
        self._aside: list[tuple[Any, Any]] | None = None

    def _swap(self) -> None:
        """The averages into the weights; the weights are set aside."""
        optimizer = getattr(self.model.optimizer, "inner_optimizer", self.model.optimizer)
        if not getattr(optimizer, "use_ema", False):
            raise ArgumentError(
                "SwapEMAWeights needs an optimizer that keeps moving averages: make it with `use_ema=True`."
            )
        if self._aside is None and optimizer.built:
            variables = list(self.model.trainable_variables)
            # copies: a write may go into the tensor that a variable holds
            self._aside = [(v, ops.add(v.value, 0)) for v in variables]
            optimizer.finalize_variable_values(variables)

    def _swap_back(self) -> None:
        if self._aside is not None:
            aside, self._aside = self._aside, None
            for variable, value in aside:
                variable.assign(value)

    def get_state(self) -> dict[str, Any]:
        """The weights that are set aside."""
        return {"aside": None if self._aside is None else [active.backend.copy_to_numpy(x) for _, x in self._aside]}

    def set_state(self, state: dict[str, Any]) -> None:
        """Sets weights aside again."""
        if state["aside"] is None:
            self._aside = None
            return
        pairs = zip(self.model.trainable_variables, state["aside"], strict=True)
        self._aside = [(v, active.backend.convert(values, v._dtype)) for v, values in pairs]

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """The weights come back to be trained."""
        if self.swap_on_epoch:
            self._swap_back()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """The averages take their place."""
        if self.swap_on_epoch:
            self._swap()

    def on_train_end(self, logs: Any = None) -> None:
        """What was set aside is let go: training ends with the averages, as it does without this callback."""
        self._aside = None

    def on_test_begin(self, logs: Any = None) -> None:
        """The averages are evaluated."""
        if not self.swap_on_epoch:
            self._swap()

    def on_test_end(self, logs: Any = None) -> None:
        """The weights come back."""
        if not self.swap_on_epoch:
            self._swap_back()

    def on_predict_begin(self, logs: Any = None) -> None:
        """The averages predict."""
        if not self.swap_on_epoch:
            self._swap()

    def on_predict_end(self, logs: Any = None) -> None:
        """The weights come back."""
        if not self.swap_on_epoch:
            self._swap_back()
