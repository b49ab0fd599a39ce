"""Text to tokens and back, without loss: characters (code points), the bytes of the UTF-8 form, or words."""

import codecs
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Literal, Protocol

from annotated_types import Ge

Level = Literal["character", "byte", "word"]


class Decoder(Protocol):
    """Joins tokens as they come, one at a time."""

    def feed(self, token: str) -> str:
        """Return the text that this token completes; empty while a character is still in pieces."""
        ...

    def close(self) -> str:
        """Return what was held back at the end."""
        ...


class Tokenizer(Protocol):
    """Splits any text into tokens so that `join(split(text)) == text`."""

    alphabet: str
    """The one-character tokens that every vocabulary holds, whatever was read; empty: what training text shows."""

    def split(self, text: str) -> Sequence[str]:
        """Return the tokens; a `str` when every token is one character of it (which vocabularies encode fast)."""
        ...

    def join(self, tokens: Iterable[str]) -> str:
        """Return the text that the tokens make up."""
        ...

    def cut(self, text: str, position: int) -> int:
        """Return the first place from `position` on where a cut tears no token."""
        ...

    def last_cut(self, text: str) -> int:
        """Return the last place where a cut tears no token, whatever follows the text; 0 where there is none."""
        ...

    def decoder(self) -> Decoder:
        """Return a fresh incremental `join`."""
        ...


class _Joined:
    def feed(self, token: str) -> str:
        return token

    def close(self) -> str:
        return ""


class Characters:
    """One token a Unicode code point."""

    alphabet = ""

    def split(self, text: str) -> Sequence[str]:
        """Return the text itself: a sequence of characters."""
        return text

    def join(self, tokens: Iterable[str]) -> str:
        """Concatenate."""
        return "".join(tokens)

    def cut(self, text: str, position: int) -> int:
        """Cut anywhere."""
        return min(position, len(text))

    def last_cut(self, text: str) -> int:
        """Cut at the end."""
        return len(text)

    def decoder(self) -> Decoder:
        """Return each token as it is."""
        return _Joined()


class _Utf8:
    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def feed(self, token: str) -> str:
        return self._decoder.decode(token.encode("latin-1"))

    def close(self) -> str:
        return self._decoder.decode(b"", final=True)


class Bytes(Characters):
    """One token a byte of the UTF-8 form, written as the character U+0000..U+00FF of the same number.

    Bytes that are not UTF-8 travel in a text as the lone surrogates U+DC80..U+DCFF (PEP 383): so binary corpora are
    read, and so Python hands over a shell's arguments. `join` shows them as U+FFFD.
    """

    alphabet = bytes(range(256)).decode("latin-1")

    def split(self, text: str) -> Sequence[str]:
        """Return the bytes as characters."""
        try:
            return text.encode("utf-8", "surrogateescape").decode("latin-1")
        except UnicodeEncodeError:  # a surrogate that stands for no byte, as JSON's "\ud800"
            return text.encode("utf-8", "surrogatepass").decode("latin-1")

    def join(self, tokens: Iterable[str]) -> str:
        """Decode UTF-8, U+FFFD for what is not."""
        return "".join(tokens).encode("latin-1").decode("utf-8", "replace")

    def decoder(self) -> Decoder:
        """Hold incomplete UTF-8 sequences back."""
        return _Utf8()


@cache
def _word_pattern() -> re.Pattern[str]:
    # \w lacks the combining marks, without which most Indic words and all decomposed accents would fall apart;
    # U+200C and U+200D join letters in Persian and Indic words.
    marks = "".join(c for c in map(chr, range(0x300, 0x20000)) if unicodedata.category(c)[0] == "M")
    # \w[\w{marks}]*, but with a look ahead that saves most words the long search among the marks
    word = rf"\w++(?:(?=[^\x00-\u02ff])[{marks}\u200c\u200d]++\w*+)*+"
    return re.compile(rf" ?(?:{word}(?:['’\-‐‑]{word})*+|\S)|\s")


_SPACE = re.compile(r"\s")
_BEFORE_LAST_SPACE = re.compile(r".*(?=\s)", re.DOTALL)


class Words(Characters):
    """Words and single punctuation marks, each with ONE space before it if there is one; other white space singly.

    Apostrophes and hyphens inside a word belong to it. Scripts without spaces give long runs: use characters there.
    """

    def split(self, text: str) -> Sequence[str]:
        """Return the words, marks and white space."""
        return _word_pattern().findall(text)

    def cut(self, text: str, position: int) -> int:
        """Cut before white space, which can only begin a token."""
        space = _SPACE.search(text, position)
        return space.start() if space else len(text)

    def last_cut(self, text: str) -> int:
        """Cut before the last white space."""
        found = _BEFORE_LAST_SPACE.match(text)
        return found.end() if found else 0


TOKENIZERS: dict[str, Tokenizer] = {"character": Characters(), "byte": Bytes(), "word": Words()}


@dataclass(frozen=True)
class TokenizerSpec:
    """How text becomes tokens, and which of them the vocabulary keeps (the limits do not apply to bytes)."""

    level: Level = "character"
    lowercase: bool = False
    min_count: Annotated[int, Ge(1)] = 1
    """Rarer tokens become `<unk>`."""
    max_size: Annotated[int, Ge(1)] | None = None
    """Only the most frequent tokens are kept; special tokens are not counted."""


def tokenize(pieces: Iterable[str], spec: TokenizerSpec) -> Iterator[Sequence[str]]:
    """Yield the tokens of a text that comes in pieces, block by block; they do not depend on where it was cut."""
    tokenizer = TOKENIZERS[spec.level]
    # Words are cut before white space, where lower case may be too
    last_cut = _last_lowercase_cut if spec.lowercase and spec.level != "word" else tokenizer.last_cut
    for block in recut(pieces, last_cut):
        yield tokenizer.split(block.lower() if spec.lowercase else block)


def units(text: str, spec: TokenizerSpec) -> Sequence[str]:
    """Return the tokens of a whole text for a reader of meanings: words without the white space around them."""
    tokens = TOKENIZERS[spec.level].split(text.lower() if spec.lowercase else text)
    if spec.level != "word":
        return tokens
    return [word for token in tokens if (word := token.strip())]


def _last_lowercase_cut(text: str) -> int:
    """Return the last place where a cut changes no lower case, whatever follows the text; 0 where there is none.

    It is a matter of context for Σ only: of the nearest characters on both sides that are not case-ignorable, as marks
    and apostrophes are (Unicode, Final_Sigma). White space, and a pair of characters of no such kind, is a border.
    """
    for place in range(len(text) - 1, 0, -1):
        if text[place].isspace() or (_ends_context(text[place]) and _ends_context(text[place - 1])):
            return place
    return 0


def _ends_context(character: str) -> bool:
    return character.isalnum() and character != "Σ" and unicodedata.category(character) != "Lm"


def recut(pieces: Iterable[str], last_cut: Callable[[str], int]) -> Iterator[str]:
    """Yield the same text in blocks that end where `last_cut` finds a place (0: in a later piece), or the text does."""
    held: list[str] = []
    for piece in pieces:
        place = last_cut(piece)
        if place:
            yield "".join((*held, piece[:place]))
            held = []
        held.append(piece[place:])
    if rest := "".join(held):
        yield rest
