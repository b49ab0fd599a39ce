"""The layers."""

from rnncli.nn.layers.attention import Attention
from rnncli.nn.layers.attentive_stack import AttentiveStack
from rnncli.nn.layers.bidirectional import Bidirectional
from rnncli.nn.layers.convolution import Convolution
from rnncli.nn.layers.crf import CRF
from rnncli.nn.layers.dropout import Dropout
from rnncli.nn.layers.embedding import Embedding, Lookup
from rnncli.nn.layers.input_product import Conditioned
from rnncli.nn.layers.linear import Linear
from rnncli.nn.layers.recurrent import Recurrent
from rnncli.nn.layers.softmax import Softmax
from rnncli.nn.layers.stack import Stack

__all__ = [
    "CRF",
    "Attention",
    "AttentiveStack",
    "Bidirectional",
    "Conditioned",
    "Convolution",
    "Dropout",
    "Embedding",
    "Linear",
    "Lookup",
    "Recurrent",
    "Softmax",
    "Stack",
]
