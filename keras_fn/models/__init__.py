"""Models."""

from keras_fn.models.cloning import clone_model
from keras_fn.models.functional import Functional
from keras_fn.models.model import Model
from keras_fn.models.sequential import Sequential

__all__ = ["Functional", "Model", "Sequential", "clone_model"]
