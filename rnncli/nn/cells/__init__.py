"""The cells by name."""

from typing import get_args

from rnncli.nn.cells.gru import GRUCell
from rnncli.nn.cells.lstm import LSTMCell
from rnncli.nn.cells.rnn import RNNCell

AnyCell = RNNCell | LSTMCell | GRUCell

CELLS: dict[str, type[AnyCell]] = {cell.name: cell for cell in get_args(AnyCell)}

__all__ = ["CELLS", "AnyCell", "GRUCell", "LSTMCell", "RNNCell"]
