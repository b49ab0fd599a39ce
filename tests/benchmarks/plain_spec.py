"""A spec read without rnncli's reader, for scripts whose interpreter has PyTorch and need not have a YAML reader."""

import json
import re
from pathlib import Path

WORD = re.compile(r"(?!(?:true|false|null)\b)\b[A-Za-z_][\w./-]*")


def read_spec(path, changes, task, sections):
    """Return a spec of two levels, with flow maps and lists in the second, changed as by `--set`.

    What the script of a `task` would not obey it refuses, as a comparison of different settings would be none:
    `sections` has the settings that it knows, and of `model` all must be given. The optimizer is Adam.
    """
    spec, section = {}, None
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        name, _, value = re.sub(r"(^|\s)#.*", "", line).rstrip().partition(":")
        if not name:
            continue
        if not name.startswith(" "):
            section = spec[name] = value_of(value) if value else {}
        else:
            section[name.strip()] = value_of(value)
    for change in changes:
        name, _, value = change.partition("=")
        part, _, name = name.partition(".")
        spec[part][name] = value_of(value)
    strange = [name for part, known in sections.items() for name in set(spec[part]) - known]
    if strange or set(spec["model"]) != sections["model"] or spec["task"] != task:
        raise SystemExit(f"{path}: what this script knows is {sections}, and all of model must be given")
    optimizer = spec["training"]["optimizer"]
    if optimizer.keys() != {"name", "learning_rate"} or optimizer["name"] != "adam":
        raise SystemExit(f"{path}: the optimizer must be adam with a learning_rate")
    return spec


def value_of(text):
    """Return a flow map or list, a name or a number of YAML as what it stands for."""
    return json.loads(WORD.sub(r'"\g<0>"', text))
