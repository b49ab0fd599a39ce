"""Continuing a text, and scoring one, with a language model."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

import numpy as np

from rnncli.data import Decoder, Vocabulary
from rnncli.decoding import Chosen, Sampling, StopText, beam_search, log_softmax, sample
from rnncli.models.autonomous_step import AutonomousStep
from rnncli.models.language_model import LanguageModel
from rnncli.models.language_model_step import StepRoutine, step_of
from rnncli.nn.parameter import Array
from rnncli.nn.protocols import State
from rnncli.tasks.free_run import autonomous_step, first_state, movement
from rnncli.training.randomness import generator

BLOCK = 1000
"""Tokens read at once: bounds the memory that a long text takes."""
NO_CONDITION: Mapping[str, str] = MappingProxyType({})


@dataclass
class GeneratedText:
    """One text, and where it was asked for the model's log-probability of each generated token, in nats."""

    seed: str
    pieces: list[str] = field(default_factory=list)  # that make up `text`
    tokens: list[str] = field(default_factory=list)
    log_probabilities: list[float] = field(default_factory=list)
    ended: Literal["length", "eos", "stop"] = "length"

    @property
    def text(self) -> str:
        """What follows the seed."""
        return "".join(self.pieces)


@dataclass
class _Writing:
    """A text in the making."""

    number: int
    text: GeneratedText
    decoder: Decoder
    stops: StopText

    def feed(self, token: str) -> tuple[int, str, GeneratedText]:
        """Add what a token makes certain to the text."""
        piece = self.decoder.feed(token)
        if self.stops.stops:
            piece = self.stops.feed(piece)
            if self.stops.stopped:
                self.text.ended = "stop"
        self.text.pieces.append(piece)
        return self.number, piece, self.text

    def close(self) -> tuple[int, str, GeneratedText]:
        """Add what was held back to the text."""
        piece = self.stops.feed(self.decoder.close()) + self.stops.rest()
        self.text.pieces.append(piece)
        return self.number, piece, self.text


class TextGenerator:
    """A language model with its vocabulary, ready to continue texts.

    `condition` names what the model was given: the value of each of its conditions.
    """

    def __init__(
        self, model: LanguageModel, vocabulary: Vocabulary, condition: Mapping[str, str] = NO_CONDITION
    ) -> None:
        self.model, self.vocabulary, self.condition = model, vocabulary, condition
        special = (vocabulary.unknown_id, vocabulary.begin_id)
        self.forbidden = [token for token in special if token is not None]

    def generate(
        self,
        seed: str,
        *,
        length: int,
        sampling: Sampling,
        samples: int = 1,
        random_seed: int = 0,
        stop: Sequence[str] = (),
        scored: bool = False,
        free_run: bool = False,
    ) -> Iterator[tuple[int, str, GeneratedText]]:
        """Draw texts side by side: yield (number of the sample, the piece of text that is new, the text so far).

        Each sample has a generator of its own, so it is the same drawn alone or among others. A text ends after
        `length` tokens, at the end symbol, or before a text of `stop`. A last piece, perhaps empty, ends each one.
        Log-probabilities are worked out if `scored`. In a `free_run` nothing is read but the seed: what is drawn is
        what the output layer says of each state that follows from the one before it alone.
        Before anything is drawn: DataError for a prime text with tokens that the model cannot know, and in a free run
        UsageError for a model without a state, or whose state nothing moves.
        """
        step: AutonomousStep | StepRoutine
        if free_run:
            step, prime, logits, state = self._set_going(seed)
        else:
            step, (prime, logits, state) = step_of(self.model), self._read(seed)
        drawn = sample(
            step,
            np.repeat(logits, samples, axis=1),
            step.start([np.repeat(layer, samples, axis=-1) for layer in state]),
            rngs=[generator(random_seed, "sampling", number) for number in range(samples)],
            length=length,
            sampling=sampling,
            prime=prime,
            forbidden=self.forbidden,
            end_id=self.vocabulary.end_id,
        )
        return self._pieces(drawn, [GeneratedText(seed) for _ in range(samples)], stop, scored=scored)

    def _pieces(
        self, drawn: Iterator[Chosen], texts: list[GeneratedText], stop: Sequence[str], *, scored: bool
    ) -> Iterator[tuple[int, str, GeneratedText]]:
        names, end = self.vocabulary.tokens, self.vocabulary.end_id
        live = [_Writing(i, text, self.vocabulary.tokenizer.decoder(), StopText(stop)) for i, text in enumerate(texts)]
        for ids, logits, _ in drawn:
            tokens = ids.tolist()
            scores = log_softmax(logits)[ids, np.arange(len(ids))].tolist() if scored else []
            for writing in live:
                token = tokens[writing.number]
                writing.text.tokens.append(names[token])
                if scored:
                    writing.text.log_probabilities.append(scores[writing.number])
                if token == end:
                    writing.text.ended = "eos"
                    yield writing.close()
                else:
                    yield writing.feed(names[token])
            live = [writing for writing in live if writing.text.ended == "length"]
            if not live:
                return
        for writing in live:
            yield writing.close()

    def movement(self, seed: str, length: int) -> Iterator[tuple[float, float]]:
        """Yield the norm of a free run's state at each of `length` tokens, and how far off the next state is.

        Raises as `generate` does.
        """
        step, _, _, state = self._set_going(seed)
        return movement(step, state, length)

    def _set_going(self, seed: str) -> tuple[AutonomousStep, Array, Array, State]:
        """Return the step of a free run, with what `_read` gives; without a seed s_1 follows the model's beginning."""
        step = autonomous_step(self.model)
        return step, *(self._read(seed) if seed else (np.empty(0, np.intp), *first_state(step)))

    def search(self, seed: str, *, length: int, beam_size: int, results: int = 1) -> list[GeneratedText]:
        """Return the `results` most probable continuations that a beam search finds, best first."""
        _, logits, state = self._read(seed)
        if not length:
            return [GeneratedText(seed)]
        step = step_of(self.model)
        (found,) = beam_search(
            step,
            step.select,
            logits,
            step.start(state),
            beam_size=beam_size,
            length=length,
            end_id=self.vocabulary.end_id,
            forbidden=self.forbidden,
            results=results,
        )
        return [self._text(seed, hypothesis.ids) for hypothesis in found]

    def score(self, text: str) -> tuple[list[str], Array]:
        """Return the tokens of a text, as they stand in it, and their log-probabilities (N,) given all before them.

        The first follows a fresh start, as it does in generation. A line ends with the probability of its end.
        """
        vocabulary = self.vocabulary
        text = vocabulary.as_typed(text)
        tokens, ids = vocabulary.split(text), vocabulary.encode(text).astype(np.intp)
        if vocabulary.end_id is not None:
            tokens, ids = [*tokens, vocabulary.tokens[vocabulary.end_id]], np.append(ids, vocabulary.end_id)
        inputs = np.concatenate((self._fresh_start(), ids[:-1])) if len(ids) else ids
        scores: list[Array] = []
        state: State | None = None
        block = max(1, min(BLOCK, 2**22 // len(vocabulary)))  # of logits (V, block)
        for start in range(0, len(ids), block):
            part = slice(start, start + block)
            logits, state = self.model.logits(inputs[part, None], state)
            scores.append(log_softmax(logits)[ids[part], np.arange(logits.shape[1])])
        return tokens, np.concatenate(scores) if scores else np.empty(0)

    def _fresh_start(self) -> Array:
        """What every text follows: the begin symbol, else a newline, else the most frequent token."""
        vocabulary = self.vocabulary
        if vocabulary.begin_id is not None:
            return np.array([vocabulary.begin_id])
        newline = vocabulary.tokens.index("\n") if "\n" in vocabulary.tokens else 0
        return np.array([newline if vocabulary.counts[newline] else int(np.argmax(vocabulary.counts))])

    def _read(self, seed: str) -> tuple[Array, Array, State]:
        """Return the ids of the prime text, the logits (V, 1) that follow it, and the state after it.

        DataError for a prime text with tokens that the model cannot know.
        """
        ids = self.vocabulary.encode_prime(seed).astype(np.intp)
        ids = np.concatenate((self._fresh_start(), ids))
        state: State | None = None
        logits: Array = np.empty(0)
        for start in range(0, len(ids), BLOCK):
            logits, state = self.model.logits(ids[start : start + BLOCK, None], state, last=True)
        assert state is not None
        return ids, logits, state

    def _text(self, seed: str, ids: Array) -> GeneratedText:
        """Return a hypothesis of the beam search as a text, with the log-probabilities of its tokens."""
        _, logits, state = self._read(seed)
        rest, _ = self.model.logits(ids[:-1, None], state) if len(ids) > 1 else (logits[:, :0], state)
        scores = log_softmax(np.concatenate((logits, rest), axis=1)[:, : len(ids)])[ids, np.arange(len(ids))]
        vocabulary = self.vocabulary
        ended: Literal["length", "eos"] = "eos" if len(ids) and ids[-1] == vocabulary.end_id else "length"
        tokens = [vocabulary.tokens[i] for i in ids]
        return GeneratedText(seed, [vocabulary.decode(ids)], tokens, scores.tolist(), ended)
