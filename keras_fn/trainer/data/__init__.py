"""Where batches come from."""

from keras_fn.trainer.data.arrays import ArraySource
from keras_fn.trainer.data.iterables import IterableSource
from keras_fn.trainer.data.make import make_source
from keras_fn.trainer.data.weights import class_weights_to_sample_weights

__all__ = ["ArraySource", "IterableSource", "class_weights_to_sample_weights", "make_source"]
