"""What a spec, a corpus and options together ask to be trained, and the folder of that run."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rnncli.spec import Document

FLAGS = {
    "task": ("task",),
    "encoding": ("data", "encoding"),
    "cell": ("model", "cell", "name"),
    "hidden_size": ("model", "hidden_size"),
    "num_layers": ("model", "num_layers"),
    "epochs": ("training", "epochs"),
    "steps": ("training", "steps"),
    "learning_rate": ("training", "optimizer", "learning_rate"),
    "batch_size": ("training", "batch_size"),
    "random_seed": ("training", "random_seed"),
    "workers": ("training", "workers"),
}
"""The flags that stand for a key of the spec."""


def changes_of(assignments: list[str], given: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of the `training` section that a resumed run is to change."""
    from rnncli.errors import UsageError
    from rnncli.spec import override, parse_spec

    document = parse_spec(b"", "--set")
    for assignment in assignments:
        override(document, assignment)
    training = document.value.get("training", {})
    refused = sorted(name for name in document.value if name != "training" or not isinstance(training, dict))
    if refused:
        raise UsageError(f"a resumed run keeps its settings, so {', '.join(refused)} cannot change")
    return {**training, **given}


def read_document(
    spec: Path | None, corpus: list[str], assignments: list[str], given: dict[str, Any]
) -> "tuple[Document, Path]":
    """Return the spec with its overrides, and the folder that its paths are relative to."""
    from rnncli.errors import UsageError
    from rnncli.spec import assign, override, parse_spec, read_spec

    if not (corpus or spec or assignments):
        raise UsageError(
            "nothing to train on", hint="name a text: rnncli train corpus.txt; or a spec: --spec spec.yaml"
        )
    if "" in corpus or ("-" in corpus and len(corpus) > 1):
        raise UsageError("CORPUS must be files, folders or globs, or - alone for stdin")
    document = read_spec(spec) if spec else parse_spec(b"", "defaults")
    base = spec.parent if spec else Path()
    for assignment in assignments:
        override(document, assignment)
    for name, value in given.items():
        assign(document, FLAGS[name], value, "--" + name.replace("_", "-"))
    if corpus:
        paths = [str(Path.cwd() / path) if spec and path != "-" else path for path in corpus]
        assign(document, ("data", "train"), paths if len(paths) > 1 else paths[0], "CORPUS")
    return document, base


def run_name(corpus: list[str], spec: Path | None) -> str:
    """Return the name of a new run: its corpus's, else its spec's."""
    if not corpus:
        return spec.stem if spec else "corpus"
    if corpus[0] == "-" or Path(corpus[0]).is_fifo():
        return "stdin"
    return Path(corpus[0]).resolve().stem.strip("*?[]. ") or "corpus"


@contextmanager
def occupied(folder: Path) -> Iterator[None]:
    """Keep other trainings out of a run's folder; one that was made in vain is removed again."""
    from rnncli.storage import FolderLock, check_writable

    is_new = not folder.exists()
    check_writable(folder)
    try:
        with FolderLock(folder):
            yield
    except BaseException:
        if is_new and {path.name for path in folder.iterdir()} == {".lock"}:
            (folder / ".lock").unlink()
            folder.rmdir()
        raise
