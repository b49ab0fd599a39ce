"""The optimizers by name."""

from typing import get_args

from rnncli.training.optimizers.adagrad import Adagrad
from rnncli.training.optimizers.adam import Adam, AdamW
from rnncli.training.optimizers.rmsprop import RMSprop
from rnncli.training.optimizers.sgd import SGD

Optimizer = SGD | RMSprop | Adagrad | Adam | AdamW

OPTIMIZERS: dict[str, type[Optimizer]] = {optimizer.name: optimizer for optimizer in get_args(Optimizer)}

__all__ = ["OPTIMIZERS", "SGD", "Adagrad", "Adam", "AdamW", "Optimizer", "RMSprop"]
