"""Continuing a text, and scoring one, with a language model."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from rnncli.data import Vocabulary
from rnncli.decoding import Chosen, Sampling, StopText, beam_search, log_softmax, sample
from rnncli.models.language_model import LanguageModel
from rnncli.nn.parameter import Array
from rnncli.nn.protocols import State
from rnncli.training.randomness import generator

BLOCK = 1000
"""Tokens read at once: bounds the memory that a long text takes."""


@dataclass
class GeneratedText:
    """One text, and the model's log-probability of each generated token, in nats."""

    seed: str
    text: str = ""  # what follows the seed
    tokens: list[str] = field(default_factory=list)
    log_probabilities: list[float] = field(default_factory=list)
    ended: Literal["length", "eos", "stop"] = "length"


class TextGenerator:
    """A language model with its vocabulary, ready to continue texts."""

    def __init__(self, model: LanguageModel, vocabulary: Vocabulary) -> None:
        self.model, self.vocabulary = model, vocabulary
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
    ) -> Iterator[tuple[int, str, GeneratedText]]:
        """Draw texts side by side: yield (number of the sample, the piece of text that is new, the text so far).

        Each sample has a generator of its own, so it is the same drawn alone or among others. A text ends after
        `length` tokens, at the end symbol, or before a text of `stop`. A last piece, perhaps empty, ends each one.
        DataError, before anything is drawn, for a prime text with tokens that the model cannot know.
        """
        prime, logits, state = self._read(seed)
        drawn = sample(
            self.model.step,
            np.repeat(logits, samples, axis=1),
            [np.repeat(layer, samples, axis=-1) for layer in state],
            rngs=[generator(random_seed, "sampling", number) for number in range(samples)],
            length=length,
            sampling=sampling,
            prime=prime,
            forbidden=self.forbidden,
            end_id=self.vocabulary.end_id,
        )
        return self._pieces(drawn, [GeneratedText(seed) for _ in range(samples)], stop)

    def _pieces(
        self, drawn: Iterator[Chosen], texts: list[GeneratedText], stop: Sequence[str]
    ) -> Iterator[tuple[int, str, GeneratedText]]:
        vocabulary = self.vocabulary
        decoders = [vocabulary.tokenizer.decoder() for _ in texts]
        stops = [StopText(stop) for _ in texts]
        live = set(range(len(texts)))

        def finish(number: int, piece: str) -> tuple[int, str, GeneratedText]:
            live.discard(number)
            texts[number].text += piece
            return number, piece, texts[number]

        for chosen in drawn:
            for number in sorted(live):
                text, token = texts[number], int(chosen.ids[number])
                text.tokens.append(vocabulary.tokens[token])
                text.log_probabilities.append(float(chosen.log_probability[number]))
                if token == vocabulary.end_id:
                    text.ended = "eos"
                    yield finish(number, stops[number].feed(decoders[number].close()) + stops[number].rest())
                    continue
                piece = stops[number].feed(decoders[number].feed(vocabulary.tokens[token]))
                if stops[number].stopped:
                    text.ended = "stop"
                    yield finish(number, piece)
                else:
                    text.text += piece
                    yield number, piece, text
            if not live:
                return
        for number in sorted(live):
            yield finish(number, stops[number].feed(decoders[number].close()) + stops[number].rest())

    def search(self, seed: str, *, length: int, beam_size: int, results: int = 1) -> list[GeneratedText]:
        """Return the `results` most probable continuations that a beam search finds, best first."""
        _, logits, state = self._read(seed)
        if not length:
            return [GeneratedText(seed)]
        found = beam_search(
            self.model.step,
            lambda state, columns: [layer[..., columns] for layer in state],
            logits,
            state,
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
        return GeneratedText(seed, vocabulary.decode(ids), tokens, scores.tolist(), ended)
