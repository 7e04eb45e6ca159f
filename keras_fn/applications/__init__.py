"""Well-known architectures, with weights that were published for them."""

from keras_fn.applications import vgg16, vgg19
from keras_fn.applications.vgg16 import VGG16
from keras_fn.applications.vgg19 import VGG19

__all__ = ["VGG16", "VGG19", "vgg16", "vgg19"]
