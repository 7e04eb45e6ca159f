# What `import keras_fn` shows, for editors and type checkers. The names themselves load when they are first used.

from keras_fn import activations as activations
from keras_fn import applications as applications
from keras_fn import backend as backend
from keras_fn import callbacks as callbacks
from keras_fn import config as config
from keras_fn import constraints as constraints
from keras_fn import core as core
from keras_fn import datasets as datasets
from keras_fn import dtype_policies as dtype_policies
from keras_fn import graph as graph
from keras_fn import initializers as initializers
from keras_fn import layers as layers
from keras_fn import losses as losses
from keras_fn import metrics as metrics
from keras_fn import models as models
from keras_fn import ops as ops
from keras_fn import optimizers as optimizers
from keras_fn import random as random
from keras_fn import regularizers as regularizers
from keras_fn import saving as saving
from keras_fn import testing as testing
from keras_fn import trainer as trainer
from keras_fn import tree as tree
from keras_fn import utils as utils
from keras_fn.core.gradients import (
    grad as grad,
)
from keras_fn.core.gradients import (
    value_and_grad as value_and_grad,
)
from keras_fn.core.variable import (
    StatelessScope as StatelessScope,
)
from keras_fn.core.variable import (
    Variable as Variable,
)
from keras_fn.dtype_policies import (
    DTypePolicy as DTypePolicy,
)
from keras_fn.dtype_policies import (
    FloatDTypePolicy as FloatDTypePolicy,
)
from keras_fn.graph import (
    Function as Function,
)
from keras_fn.graph import (
    KerasTensor as KerasTensor,
)
from keras_fn.initializers import Initializer as Initializer
from keras_fn.layers import (
    Input as Input,
)
from keras_fn.layers import (
    InputSpec as InputSpec,
)
from keras_fn.layers import (
    Layer as Layer,
)
from keras_fn.losses import Loss as Loss
from keras_fn.metrics import Metric as Metric
from keras_fn.models import (
    Model as Model,
)
from keras_fn.models import (
    Sequential as Sequential,
)
from keras_fn.optimizers import Optimizer as Optimizer
from keras_fn.regularizers import Regularizer as Regularizer

__version__: str

def version() -> str: ...
