"""The cells by name."""

from rnncli.nn.cells.gru import GRUCell
from rnncli.nn.cells.lstm import LSTMCell
from rnncli.nn.cells.rnn import RNNCell

AnyCell = RNNCell | LSTMCell | GRUCell

CELLS: dict[str, type[AnyCell]] = {"rnn": RNNCell, "lstm": LSTMCell, "gru": GRUCell}

__all__ = ["CELLS", "AnyCell", "GRUCell", "LSTMCell", "RNNCell"]
