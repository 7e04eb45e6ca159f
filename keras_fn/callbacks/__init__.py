"""Callbacks."""

from keras_fn.callbacks.callback import Callback
from keras_fn.callbacks.callback_list import CallbackList, as_callback_list
from keras_fn.callbacks.history import History
from keras_fn.callbacks.progress import ProgbarLogger

__all__ = ["Callback", "CallbackList", "History", "ProgbarLogger", "as_callback_list"]
