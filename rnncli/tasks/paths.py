"""The paths of a spec: one or several, relative to its folder, "-" for standard input."""

import glob
import os
from pathlib import Path

from rnncli.errors import SettingError

Paths = str | tuple[str, ...]


def as_paths(paths: Paths) -> tuple[str, ...]:
    """Return one path or several as a tuple."""
    return (paths,) if isinstance(paths, str) else paths


def check_paths(train: Paths, validation: Paths, test: Paths) -> None:
    """Raise SettingError for paths that name nothing, and for standard input but alone and to train on."""
    for key, given in {"train": train, "validation": validation, "test": test}.items():
        paths = as_paths(given)
        if "" in paths or ("-" in paths and (len(paths) > 1 or key != "train")):
            message = "train, validation and test name files, folders or globs; train may be - for stdin"
            raise SettingError(message, key=key)


def resolved(paths: Paths, base: Path) -> tuple[str, ...]:
    """Return the paths as seen from `base`; "-" is standard input."""
    return tuple(path if path == "-" else _joined(base, path) for path in as_paths(paths))


def _joined(base: Path, path: str) -> str:
    joined = os.path.join(base, path) if base != Path() else path  # noqa: PTH118
    if os.pardir in Path(path).parts:  # as `moved_paths` left it: shorter to read, and the same file
        joined = os.path.relpath(os.path.realpath(joined))
    if set(path) & set("*?[") and not os.path.exists(joined):  # noqa: PTH110
        return os.path.join(glob.escape(str(base)), path)  # noqa: PTH118
    return joined


def moved_paths(paths: Paths, base: Path, folder: Path) -> Paths:
    """Return paths, relative to `base`, as seen from `folder`; "-" stays."""
    # Of real paths: the system looks for the ".." of a link above what the link points to
    moved = tuple(
        path if path == "-" else os.path.relpath(os.path.realpath(base / path), os.path.realpath(folder))
        for path in as_paths(paths)
    )
    return moved[0] if len(moved) == 1 else moved
