"""State that a layer carries from one call to the next."""

from __future__ import annotations

from typing import Any

from keras_fn.core import trees
from keras_fn.core.variable import Variable
from keras_fn.layers.tracking import Carried


class CarriedStates(Carried):
    """The states of a stateful recurrent layer, as variables.

    They belong to the layer's variables, so that compiled steps read and write them, but they are no weights.

    Args:
        zeros: tree of tensors, the states at the start.
    """

    def __init__(self, zeros: Any) -> None:
        self.tree = trees.map(lambda x: Variable(x, trainable=False, autocast=False, name="rnn_state"), zeros)
        self.variables = trees.flatten(self.tree)

    def read(self) -> Any:
        """The states now."""
        return trees.map(lambda v: v.value, self.tree)

    def write(self, states: Any) -> None:
        """Keeps new states."""
        for variable, state in zip(self.variables, trees.flatten(states), strict=True):
            variable.assign(state)
