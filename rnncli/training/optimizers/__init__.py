"""The optimizers by name."""

from rnncli.training.optimizers.adagrad import Adagrad
from rnncli.training.optimizers.adam import Adam, AdamW
from rnncli.training.optimizers.rmsprop import RMSprop
from rnncli.training.optimizers.sgd import SGD

Optimizer = Adam | AdamW | RMSprop | Adagrad | SGD

OPTIMIZERS: dict[str, type[Optimizer]] = {
    "sgd": SGD,
    "rmsprop": RMSprop,
    "adagrad": Adagrad,
    "adam": Adam,
    "adamw": AdamW,
}

__all__ = ["OPTIMIZERS", "SGD", "Adagrad", "Adam", "AdamW", "Optimizer", "RMSprop"]
