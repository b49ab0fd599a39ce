"""The layers."""

from rnncli.nn.layers.bidirectional import Bidirectional
from rnncli.nn.layers.convolution import Convolution
from rnncli.nn.layers.crf import CRF
from rnncli.nn.layers.dropout import Dropout
from rnncli.nn.layers.embedding import Embedding, Lookup
from rnncli.nn.layers.linear import Linear
from rnncli.nn.layers.recurrent import Recurrent
from rnncli.nn.layers.softmax import Softmax
from rnncli.nn.layers.stack import Stack

__all__ = [
    "CRF",
    "Bidirectional",
    "Convolution",
    "Dropout",
    "Embedding",
    "Linear",
    "Lookup",
    "Recurrent",
    "Softmax",
    "Stack",
]
