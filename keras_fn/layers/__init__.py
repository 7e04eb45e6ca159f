"""Layers."""

from __future__ import annotations

from keras_fn.graph.symbol import KerasTensor
from keras_fn.layers.activations.activation import Activation
from keras_fn.layers.activations.elu import ELU
from keras_fn.layers.activations.leaky_relu import LeakyReLU
from keras_fn.layers.activations.prelu import PReLU
from keras_fn.layers.activations.relu import ReLU
from keras_fn.layers.activations.softmax import Softmax
from keras_fn.layers.attention.additive_attention import AdditiveAttention
from keras_fn.layers.attention.attention import Attention
from keras_fn.layers.attention.group_query_attention import GroupQueryAttention
from keras_fn.layers.attention.multi_head_attention import MultiHeadAttention
from keras_fn.layers.base import Layer
from keras_fn.layers.convolutional.conv import Conv1D, Conv2D, Conv3D
from keras_fn.layers.convolutional.conv_transpose import Conv1DTranspose, Conv2DTranspose, Conv3DTranspose
from keras_fn.layers.convolutional.depthwise_conv import DepthwiseConv1D, DepthwiseConv2D
from keras_fn.layers.convolutional.separable_conv import SeparableConv1D, SeparableConv2D
from keras_fn.layers.core.dense import Dense
from keras_fn.layers.core.einsum_dense import EinsumDense
from keras_fn.layers.core.embedding import Embedding
from keras_fn.layers.core.identity import Identity
from keras_fn.layers.core.lambda_layer import Lambda
from keras_fn.layers.core.masking import Masking
from keras_fn.layers.input_layer import Input, InputLayer
from keras_fn.layers.input_spec import InputSpec
from keras_fn.layers.merging.add import Add, add
from keras_fn.layers.merging.average import Average, average
from keras_fn.layers.merging.concatenate import Concatenate, concatenate
from keras_fn.layers.merging.dot import Dot, dot
from keras_fn.layers.merging.maximum import Maximum, maximum
from keras_fn.layers.merging.minimum import Minimum, minimum
from keras_fn.layers.merging.multiply import Multiply, multiply
from keras_fn.layers.merging.subtract import Subtract, subtract
from keras_fn.layers.normalization.batch_normalization import BatchNormalization
from keras_fn.layers.normalization.group_normalization import GroupNormalization
from keras_fn.layers.normalization.layer_normalization import LayerNormalization
from keras_fn.layers.normalization.rms_normalization import RMSNormalization
from keras_fn.layers.normalization.unit_normalization import UnitNormalization
from keras_fn.layers.pooling.adaptive_average_pooling import (
    AdaptiveAveragePooling1D,
    AdaptiveAveragePooling2D,
    AdaptiveAveragePooling3D,
)
from keras_fn.layers.pooling.adaptive_max_pooling import (
    AdaptiveMaxPooling1D,
    AdaptiveMaxPooling2D,
    AdaptiveMaxPooling3D,
)
from keras_fn.layers.pooling.average_pooling import AveragePooling1D, AveragePooling2D, AveragePooling3D
from keras_fn.layers.pooling.global_average_pooling import (
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalAveragePooling3D,
)
from keras_fn.layers.pooling.global_max_pooling import GlobalMaxPooling1D, GlobalMaxPooling2D, GlobalMaxPooling3D
from keras_fn.layers.pooling.max_pooling import MaxPooling1D, MaxPooling2D, MaxPooling3D
from keras_fn.layers.regularization.activity_regularization import ActivityRegularization
from keras_fn.layers.regularization.alpha_dropout import AlphaDropout
from keras_fn.layers.regularization.dropout import Dropout
from keras_fn.layers.regularization.gaussian_dropout import GaussianDropout
from keras_fn.layers.regularization.gaussian_noise import GaussianNoise
from keras_fn.layers.regularization.spatial_dropout import SpatialDropout1D, SpatialDropout2D, SpatialDropout3D
from keras_fn.layers.reshaping.cropping import Cropping1D, Cropping2D, Cropping3D
from keras_fn.layers.reshaping.flatten import Flatten
from keras_fn.layers.reshaping.permute import Permute
from keras_fn.layers.reshaping.repeat_vector import RepeatVector
from keras_fn.layers.reshaping.reshape import Reshape
from keras_fn.layers.reshaping.up_sampling import UpSampling1D, UpSampling2D, UpSampling3D
from keras_fn.layers.reshaping.zero_padding import ZeroPadding1D, ZeroPadding2D, ZeroPadding3D
from keras_fn.layers.rnn.bidirectional import Bidirectional
from keras_fn.layers.rnn.conv_lstm import ConvLSTM1D, ConvLSTM2D, ConvLSTM3D
from keras_fn.layers.rnn.gru import GRU
from keras_fn.layers.rnn.gru_cell import GRUCell
from keras_fn.layers.rnn.lstm import LSTM
from keras_fn.layers.rnn.lstm_cell import LSTMCell
from keras_fn.layers.rnn.rnn import RNN
from keras_fn.layers.rnn.simple_rnn import SimpleRNN
from keras_fn.layers.rnn.simple_rnn_cell import SimpleRNNCell
from keras_fn.layers.rnn.stacked import StackedRNNCells
from keras_fn.layers.rnn.time_distributed import TimeDistributed
from keras_fn.layers.wrappers.wrapper import Wrapper

# other names for the same layers
AvgPool1D = AveragePooling1D
AvgPool2D = AveragePooling2D
AvgPool3D = AveragePooling3D
Convolution1D = Conv1D
Convolution1DTranspose = Conv1DTranspose
Convolution2D = Conv2D
Convolution2DTranspose = Conv2DTranspose
Convolution3D = Conv3D
Convolution3DTranspose = Conv3DTranspose
GlobalAvgPool1D = GlobalAveragePooling1D
GlobalAvgPool2D = GlobalAveragePooling2D
GlobalAvgPool3D = GlobalAveragePooling3D
GlobalMaxPool1D = GlobalMaxPooling1D
GlobalMaxPool2D = GlobalMaxPooling2D
GlobalMaxPool3D = GlobalMaxPooling3D
MaxPool1D = MaxPooling1D
MaxPool2D = MaxPooling2D
MaxPool3D = MaxPooling3D
SeparableConvolution1D = SeparableConv1D
SeparableConvolution2D = SeparableConv2D

__all__ = [
    "ELU",
    "GRU",
    "LSTM",
    "RNN",
    "Activation",
    "ActivityRegularization",
    "AdaptiveAveragePooling1D",
    "AdaptiveAveragePooling2D",
    "AdaptiveAveragePooling3D",
    "AdaptiveMaxPooling1D",
    "AdaptiveMaxPooling2D",
    "AdaptiveMaxPooling3D",
    "Add",
    "AdditiveAttention",
    "AlphaDropout",
    "Attention",
    "Average",
    "AveragePooling1D",
    "AveragePooling2D",
    "AveragePooling3D",
    "AvgPool1D",
    "AvgPool2D",
    "AvgPool3D",
    "BatchNormalization",
    "Bidirectional",
    "Concatenate",
    "Conv1D",
    "Conv1DTranspose",
    "Conv2D",
    "Conv2DTranspose",
    "Conv3D",
    "Conv3DTranspose",
    "ConvLSTM1D",
    "ConvLSTM2D",
    "ConvLSTM3D",
    "Convolution1D",
    "Convolution1DTranspose",
    "Convolution2D",
    "Convolution2DTranspose",
    "Convolution3D",
    "Convolution3DTranspose",
    "Cropping1D",
    "Cropping2D",
    "Cropping3D",
    "Dense",
    "DepthwiseConv1D",
    "DepthwiseConv2D",
    "Dot",
    "Dropout",
    "EinsumDense",
    "Embedding",
    "Flatten",
    "GRUCell",
    "GaussianDropout",
    "GaussianNoise",
    "GlobalAveragePooling1D",
    "GlobalAveragePooling2D",
    "GlobalAveragePooling3D",
    "GlobalAvgPool1D",
    "GlobalAvgPool2D",
    "GlobalAvgPool3D",
    "GlobalMaxPool1D",
    "GlobalMaxPool2D",
    "GlobalMaxPool3D",
    "GlobalMaxPooling1D",
    "GlobalMaxPooling2D",
    "GlobalMaxPooling3D",
    "GroupNormalization",
    "GroupQueryAttention",
    "Identity",
    "Input",
    "InputLayer",
    "InputSpec",
    "KerasTensor",
    "LSTMCell",
    "Lambda",
    "Layer",
    "LayerNormalization",
    "LeakyReLU",
    "Masking",
    "MaxPool1D",
    "MaxPool2D",
    "MaxPool3D",
    "MaxPooling1D",
    "MaxPooling2D",
    "MaxPooling3D",
    "Maximum",
    "Minimum",
    "MultiHeadAttention",
    "Multiply",
    "PReLU",
    "Permute",
    "RMSNormalization",
    "ReLU",
    "RepeatVector",
    "Reshape",
    "SeparableConv1D",
    "SeparableConv2D",
    "SeparableConvolution1D",
    "SeparableConvolution2D",
    "SimpleRNN",
    "SimpleRNNCell",
    "Softmax",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpatialDropout3D",
    "StackedRNNCells",
    "Subtract",
    "TimeDistributed",
    "UnitNormalization",
    "UpSampling1D",
    "UpSampling2D",
    "UpSampling3D",
    "Wrapper",
    "ZeroPadding1D",
    "ZeroPadding2D",
    "ZeroPadding3D",
    "add",
    "average",
    "concatenate",
    "dot",
    "maximum",
    "minimum",
    "multiply",
    "subtract",
]
