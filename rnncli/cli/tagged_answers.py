"""How a tagger is asked, and how its answers are written."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rnncli.errors import DataError
    from rnncli.tasks.tagging_model import Steps, Tagged, TaggingModel

NONE = "-"
"""Stands for no label."""


def unanswered(tagged: "Tagged", where: str) -> "DataError | None":
    """Return what is wrong with an answer."""
    from rnncli.errors import DataError

    if tagged.finite:
        return None
    return DataError("the model's answer is not finite", hint="give a shorter sequence", where=where)


@dataclass(frozen=True)
class Answer:
    """How sequences are answered, and the answers written."""

    reader: "TaggingModel"
    threshold: float | None
    repair: bool
    proba: bool
    as_json: bool

    def __call__(self, sequences: "Sequence[Steps]") -> "list[Tagged]":
        """Return the labels of sequences."""
        from rnncli.tasks.labelled_scores import THRESHOLD

        threshold = THRESHOLD if self.threshold is None else self.threshold
        sure = self.proba or self.as_json
        return self.reader.tag(sequences, threshold=threshold, repair=self.repair, sure=sure)

    def line(self, steps: "Steps", tagged: "Tagged") -> str:
        """Return the tokens with their labels behind slashes; of frames the labels, with tabs between them."""
        labels = ["|".join(names) or NONE for names in tagged.labels]
        if self.proba and tagged.probabilities:
            chances = ["|".join(f"{p:.4f}" for p in each.values()) or NONE for each in tagged.probabilities]
            labels = [f"{label}/{chance}" for label, chance in zip(labels, chances, strict=True)]
        if isinstance(steps, tuple):
            return " ".join(f"{token}/{label}" for token, label in zip(steps, labels, strict=True))
        return "\t".join(labels)

    def json(self, steps: "Steps", tagged: "Tagged") -> str:
        """Return an answer as a line of JSON."""
        import json

        one = not self.reader.task.data.multi_label
        plain: dict[str, Any] = {"tokens": list(steps)} if isinstance(steps, tuple) else {}
        plain["labels"] = [names[0] if one else list(names) for names in tagged.labels]
        if tagged.probabilities is not None:
            plain["probabilities"] = [next(iter(p.values())) if one else p for p in tagged.probabilities]
        if tagged.spans is not None and isinstance(steps, tuple):
            plain["spans"] = [
                span._asdict() | {"text": " ".join(steps[span.start : span.end])} for span in tagged.spans
            ]
        return json.dumps(plain, ensure_ascii=False)
