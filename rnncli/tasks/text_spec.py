"""Which text a language model reads, and how: the `data` section of a spec."""

import glob
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from annotated_types import Ge, Lt

from rnncli.data import TokenizerSpec

Part = Annotated[float, Ge(0), Lt(1)]
Paths = str | tuple[str, ...]


@dataclass(frozen=True)
class SplitSpec:
    """The shares of the training text that are split off where no files are given for them."""

    validation: Part = 0.05
    test: Part = 0.05

    def __post_init__(self) -> None:
        """Leave something to train on."""
        if self.validation + self.test >= 1:
            raise ValueError("validation and test together must leave a part to train on: their sum must be below 1")


@dataclass(frozen=True)
class TextDataSpec:
    """Which text, and how it is read: the `data` section of a spec. Paths are relative to the spec's folder."""

    train: Paths = ()
    validation: Paths = ()
    test: Paths = ()
    format: Literal["stream", "lines"] = "stream"
    encoding: str = "utf-8"
    tokenizer: TokenizerSpec = TokenizerSpec()
    split: SplitSpec = SplitSpec()

    def __post_init__(self) -> None:
        """Refuse paths that name nothing, or standard input among others."""
        for paths in map(as_paths, (self.train, self.validation, self.test)):
            if "" in paths or ("-" in paths and paths != as_paths(self.train)) or ("-" in paths and len(paths) > 1):
                raise ValueError("train, validation and test name files, folders or globs; train may be - for stdin")


def as_paths(paths: Paths) -> tuple[str, ...]:
    """Return one path or several as a tuple."""
    return (paths,) if isinstance(paths, str) else paths


def resolved(paths: Paths, base: Path) -> tuple[str, ...]:
    """Return the paths as seen from `base`; "-" is standard input."""
    return tuple(path if path == "-" else _joined(base, path) for path in as_paths(paths))


def _joined(base: Path, path: str) -> str:
    joined = os.path.join(base, path)  # noqa: PTH118
    if set(path) & set("*?[") and not os.path.exists(joined):  # noqa: PTH110
        return os.path.join(glob.escape(str(base)), path)  # noqa: PTH118
    return joined
