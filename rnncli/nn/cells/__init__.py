"""The cells by name."""

from rnncli.nn.cells.gru import GRUCell
from rnncli.nn.cells.lstm import LSTMCell
from rnncli.nn.cells.rnn import RNNCell

CELLS: dict[str, type[RNNCell | LSTMCell | GRUCell]] = {"rnn": RNNCell, "lstm": LSTMCell, "gru": GRUCell}

__all__ = ["CELLS", "GRUCell", "LSTMCell", "RNNCell"]
