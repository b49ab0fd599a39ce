"""Synthetic data whose answer is known: one dataclass a set, whose fields are the set's options."""

from rnncli.data.synthetic.adding import Adding
from rnncli.data.synthetic.addition import Addition
from rnncli.data.synthetic.agreement import Agreement
from rnncli.data.synthetic.anbn import AnBn
from rnncli.data.synthetic.copying import Copy
from rnncli.data.synthetic.dates import Dates
from rnncli.data.synthetic.language import Language, Legality
from rnncli.data.synthetic.parity import Parity
from rnncli.data.synthetic.reber import Reber
from rnncli.data.synthetic.reversal import Reversal
from rnncli.data.synthetic.shapes import Shapes
from rnncli.data.synthetic.spelling import Spelling
from rnncli.data.synthetic.synthetic_set import SyntheticSet
from rnncli.data.synthetic.temporal_order import TemporalOrder

OF_SEQUENCES: tuple[type[SyntheticSet], ...] = (Parity, TemporalOrder, Adding, Agreement, Reber, AnBn, Copy)
OF_PAIRS: tuple[type[SyntheticSet], ...] = (Dates, Addition, Reversal, Spelling, Shapes)

SETS: dict[str, type[SyntheticSet]] = {each.name: each for each in (*OF_SEQUENCES, *OF_PAIRS)}

__all__ = ["SETS", "Language", "Legality", "SyntheticSet"]
