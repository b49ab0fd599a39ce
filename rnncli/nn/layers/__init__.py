"""The layers."""

from rnncli.nn.layers.dropout import Dropout
from rnncli.nn.layers.embedding import Embedding
from rnncli.nn.layers.linear import Linear
from rnncli.nn.layers.recurrent import Recurrent
from rnncli.nn.layers.stack import Stack

__all__ = ["Dropout", "Embedding", "Linear", "Recurrent", "Stack"]
