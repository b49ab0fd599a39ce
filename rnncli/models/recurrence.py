"""What hands on from step to step: hidden states, the output of the step before, or both."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from rnncli.errors import SettingError
from rnncli.models.stack_spec import AnyControl, StackSpec, WindowedMLP
from rnncli.nn.cells import RNNCell

Recurrence = Literal["hidden", "output", "both"]
"""h_t is made of x_t and of h_{t-1}, of the output y_{t-1}, or of both (Goodfellow et al. 2016, 10.2).

Without hidden states nothing but the outputs tells of what was before. The true ones are known in training (teacher
forcing), so that all steps are made at once, and no gradient goes from a step to the one before (Jordan 1986).
"""


@dataclass(frozen=True, kw_only=True)
class FedStackSpec(StackSpec):
    """The same of a model with an output at every step, which may be what reaches the next one."""

    recurrence: Recurrence = "hidden"

    reads_outputs: ClassVar[str] = ""
    """Who reads its previous output anyway."""
    has_others: ClassVar[bool] = False
    """Whether there are layers beside those of this recurrence, with hidden states of their own."""

    def __post_init__(self) -> None:
        """Refuse what a recurrence of outputs does not have, or would have twice."""
        super().__post_init__()
        if self.recurrence == "hidden":
            return
        if self.is_control:
            raise SettingError(
                f"recurrence: {self.recurrence} needs a recurrent cell, not {self.cell.name}", key="recurrence"
            )
        if self.recurrence == "both" and self.reads_outputs:
            raise SettingError(
                f"recurrence: both is the same as hidden: {self.reads_outputs} reads its previous output anyway",
                key="recurrence",
            )
        if self.recurrence == "output" and not isinstance(self.cell, RNNCell):
            reason = f"not {self.cell.name}, whose gates are for hidden states handed on"
            raise SettingError(f"recurrence: output needs cell: rnn, {reason}", key="recurrence")
        if self.recurrence == "output" and not self.has_others:
            reason = "is for hidden states, and recurrence: output hands none on"
            if self.initial_state == "learned":
                raise SettingError(f"initial_state: learned {reason}", key="initial_state")
            if self.recurrent_dropout:
                raise SettingError(f"recurrent_dropout {reason}", key="recurrent_dropout")

    @property
    def windows(self) -> AnyControl | None:
        """What the layers read of their inputs: where outputs alone are handed on, each step its own."""
        if self.recurrence == "output" and isinstance(self.cell, RNNCell):
            return WindowedMLP(window=1, activation=self.cell.activation)
        return super().windows

    @property
    def stack_name(self) -> str:
        """What the names of the stack's parameters begin with."""
        return "hidden" if self.recurrence == "output" else super().stack_name
