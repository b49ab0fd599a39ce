"""How a model of pairs is asked, batch by batch, and how its answers are written."""

import json
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rnncli.cli.console import Talk
    from rnncli.cli.drawings import Style
    from rnncli.cli.sequences import Given
    from rnncli.errors import DataError
    from rnncli.tasks.pair_decoding import Decoding
    from rnncli.tasks.pair_model import PairModel, SourceSequence, Translation

TOGETHER = 256
"""Sources that are answered before any of their answers is written, at most."""
EXAMPLES, LONGEST = 5, 40
"""Unknown tokens that a note names at the most, and characters of each."""


@dataclass(frozen=True)
class Answers:
    """How sources are answered, and the answers written."""

    reader: "PairModel"
    decoding: "Decoding"
    style: "Style"
    kind: str
    """What JSON calls an answer: translation, or caption."""
    several: bool = False
    """Whether there are n-best lists, of one perhaps."""
    attention: bool = False
    as_json: bool = False

    def written(self, number: int, given: "Given", found: "Sequence[Translation]") -> list[str]:
        """Return the lines of what was found for a source, the `number`-th line of all; of a blank one, nothing."""
        source: SourceSequence | None = given.sequence or None
        if self.as_json:
            return [json.dumps(_place(number, given) | self._plain(source, found), ensure_ascii=False)]
        lines = []
        for answer in found:
            text = one_line(answer.text)
            lines.append(f"{number}\t{answer.score:.4f}\t{text}" if self.several else text)
            if self.attention and source:
                lines += [*self._drawing(source, answer), ""]
        return lines or self._nothing(number)

    def failed(self, number: int, given: "Given", message: str) -> list[str]:
        """Return the line in the place of an answer that there is not."""
        if self.as_json:
            return [json.dumps(_place(number, given) | {"error": message}, ensure_ascii=False)]
        return self._nothing(number)

    def _nothing(self, number: int) -> list[str]:
        return [f"{number}\t\t" if self.several else ""]

    def _plain(self, source: "SourceSequence | None", found: "Sequence[Translation]") -> dict[str, Any]:
        """Return answers JSON-able, the first of them once more among several.

        Of a blank line the translation is as blank; of a vector that there is not, there is no answer.
        """
        plain: dict[str, Any] = {}
        nothing: dict[str, Any] = {self.kind: None, "tokens": [], "log_probabilities": [], "score": None, "ended": None}
        if self.reader.source_vocabulary:
            plain["source"] = source.text if source else ""
            if self.attention:
                plain["source_tokens"] = self.reader.source_tokens(source) if source else []
            nothing[self.kind] = ""
        described = [self._described(answer) for answer in found]
        plain |= described[0] if described else nothing | ({"attention": []} if self.attention else {})
        if self.several:
            plain["n_best"] = described
        if self.decoding.sampling:
            plain["random_seed"] = self.decoding.random_seed
        return plain

    def _described(self, answer: "Translation") -> dict[str, Any]:
        described = {
            self.kind: answer.text,
            "tokens": answer.tokens,
            "log_probabilities": answer.log_probabilities,
            "score": answer.score,
            "ended": answer.ended,
        }
        if answer.attention is not None:
            described["attention"] = answer.attention.astype(float).round(6).tolist()
        return described

    def _drawing(self, source: "SourceSequence", answer: "Translation") -> list[str]:
        from rnncli.cli.attention_drawing import alignment
        from rnncli.data.vocabulary import END

        assert answer.attention is not None
        targets = [*answer.tokens, *([END] if answer.ended else [])]
        return alignment(answer.attention, targets, self.reader.source_tokens(source), self.style)


def _place(number: int, given: "Given") -> dict[str, Any]:
    return {"number": number, "where": given.where}


def one_line(text: str) -> str:
    r"""Return a text that stays on its line: a line break in it is spelled \n or \r."""
    return text.replace("\n", "\\n").replace("\r", "\\r")


def write_answers(answers: Answers, batches: "Iterable[Sequence[Given]]", talk: "Talk") -> bool:
    """Answer what is given batch by batch, and return whether all could be answered; what is blank stays blank."""
    from rnncli.cli.console import write_data

    sound, number, asked = True, 0, 0
    notes = _Notes(answers.reader, talk)
    for part in _parts(batches):
        sources = [given.sequence for given in part if given.sequence]
        notes.read(part)
        found = iter(answers.reader.translate(sources, answers.decoding, attention=answers.attention, first=asked))
        asked += len(sources)
        lines = []
        for given in part:
            number += 1
            own = next(found) if given.sequence else []
            error = given.error or (_unanswered(given) if given.sequence and not own else None)
            if error:
                sound = False
                talk.error(str(error))
                lines += answers.failed(number, given, str(error))
            else:
                lines += answers.written(number, given, own)
        write_data("".join(f"{line}\n" for line in lines))
    notes.close()
    return sound


def _unanswered(given: "Given") -> "DataError":
    from rnncli.errors import DataError

    return DataError("the model's answer is not finite", hint="give a shorter source", where=given.where)


def _parts(batches: "Iterable[Sequence[Given]]") -> "Iterator[Sequence[Given]]":
    for batch in batches:
        for start in range(0, len(batch), TOGETHER):
            yield batch[start : start + TOGETHER]


class _Notes:
    """What is said of sources that are unlike those of training: of the first that is too long, and of new tokens."""

    def __init__(self, reader: "PairModel", talk: "Talk") -> None:
        self.reader, self.talk = reader, talk
        self.longest: int | None = None if reader.single else reader.longest[0]
        self.unknown = 0
        self.examples: dict[str, None] = {}  # in the order in which they came

    def read(self, part: "Sequence[Given]") -> None:
        """Look at sources, before they are answered."""
        for given in part:
            if given.sequence:
                self._count_unknown(given.sequence)
                steps = len(given.sequence.values)
                if self.longest is not None and steps > self.longest:
                    what = "tokens" if self.reader.source_vocabulary else "steps"
                    message = f"a source of {steps:,} {what}, where the longest of training has {self.longest:,}"
                    self.talk.warn(f"{given.where}: {message}: its translation may well be worse")
                    self.longest = None

    def _count_unknown(self, source: "SourceSequence") -> None:
        if count := self.reader.unknown(source):
            self.unknown += count
            if len(self.examples) < EXAMPLES:
                vocabulary = self.reader.source_vocabulary
                assert vocabulary
                places = (source.values == vocabulary.unknown_id).nonzero()[0].tolist()
                tokens = self.reader.source_tokens(source)
                self.examples |= dict.fromkeys(tokens[place] for place in places[:EXAMPLES])

    def close(self) -> None:
        """Say what there is to say in the end."""
        if self.unknown:
            examples = ", ".join(
                json.dumps(token[:LONGEST], ensure_ascii=False) for token in islice(self.examples, EXAMPLES)
            )
            self.talk.warn(
                f"tokens that are not in the vocabulary, read as <unk>: {self.unknown:,}, such as {examples}"
            )
