"""Callbacks."""

from keras_fn.callbacks.backup_and_restore import BackupAndRestore
from keras_fn.callbacks.callback import Callback
from keras_fn.callbacks.callback_list import CallbackList, as_callback_list, with_backup
from keras_fn.callbacks.csv_logger import CSVLogger
from keras_fn.callbacks.early_stopping import EarlyStopping
from keras_fn.callbacks.history import History
from keras_fn.callbacks.lambda_callback import LambdaCallback
from keras_fn.callbacks.learning_rate_scheduler import LearningRateScheduler
from keras_fn.callbacks.model_checkpoint import ModelCheckpoint
from keras_fn.callbacks.progress import ProgbarLogger
from keras_fn.callbacks.reduce_lr_on_plateau import ReduceLROnPlateau
from keras_fn.callbacks.swap_ema_weights import SwapEMAWeights
from keras_fn.callbacks.terminate_on_nan import TerminateOnNaN

__all__ = [
    "BackupAndRestore",
    "CSVLogger",
    "Callback",
    "CallbackList",
    "EarlyStopping",
    "History",
    "LambdaCallback",
    "LearningRateScheduler",
    "ModelCheckpoint",
    "ProgbarLogger",
    "ReduceLROnPlateau",
    "SwapEMAWeights",
    "TerminateOnNaN",
    "as_callback_list",
    "with_backup",
]
