"""The floors of the package, read from its imports: what may know of what."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FLOORS = {
    "errors": 0,
    "nn": 1,
    "metrics": 1,
    "data": 1,
    "spec": 1,
    "storage": 1,
    "models": 2,
    "decoding": 2,
    "training": 2,
    "tasks": 3,
    "inspection": 3,
    "experiments": 4,
    "benchmarks": 4,
    "cli": 5,
}
ENTRANCES = {"rnncli", "rnncli.__main__"}  # above all floors
ONLY_IN = {
    "typer": {"cli"},
    "click": {"cli"},
    "rich": {"cli"},
    "yaml": {"spec"},
    "pydantic": {"spec"},
    "torch": {"benchmarks"},
}
VAGUE = {"utils", "util", "helpers", "helper", "common", "base", "misc", "core"}
LONGEST = 300  # lines


def module_name(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {module_name(path): path for path in sorted((ROOT / "rnncli").rglob("*.py"))}
TREES = {name: ast.parse(path.read_text("utf-8")) for name, path in FILES.items()}

every_module = pytest.mark.parametrize("module", FILES)


def imports_of(tree):
    """Every module that is imported, also inside functions; `from package import module` counts as the module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "imports are written in full"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in FILES else node.module


def package_of(module):
    """`rnncli.nn.cells.lstm` → nn."""
    return module.split(".")[1] if "." in module else ""


def top(module):
    return module.split(".", 1)[0]


def test_every_package_has_a_floor():
    assert {package_of(module) for module in FILES if module not in ENTRANCES} - FLOORS.keys() == set()
    assert len(FILES) > 50


@every_module
def test_imports_go_down_or_stay_in_the_package(module):
    if module in ENTRANCES:
        return
    own = package_of(module)
    for imported in imports_of(TREES[module]):
        other = package_of(imported)
        if top(imported) == "rnncli" and imported != "rnncli" and other != own:
            assert FLOORS[other] < FLOORS[own], f"{module} imports {imported}"


@every_module
def test_packages_from_outside_stay_where_they_belong(module):
    outside = {top(imported) for imported in imports_of(TREES[module])} - {"rnncli"} - sys.stdlib_module_names
    for name in outside:
        assert package_of(module) in ONLY_IN.get(name, {package_of(module)}), f"{module} imports {name}"
    assert outside <= {"numpy", "annotated_types", *ONLY_IN}
    if package_of(module) == "nn":
        assert outside <= {"numpy"}


def test_no_module_imports_itself_in_a_circle():
    """A type checker's imports count, and those inside functions too."""
    edges = {(name, imported) for name, tree in TREES.items() for imported in imports_of(tree) if imported in FILES}
    assert len(edges) > 100
    before: set[tuple[str, str]] = set()
    while edges != before:  # an edge of a circle is led up to and leads on
        before, sources, targets = edges, {source for source, _ in edges}, {target for _, target in edges}
        edges = {(source, target) for source, target in edges if source in targets and target in sources}
    assert sorted(edges) == []


@every_module
def test_files_are_short_and_named_for_their_content(module):
    assert len(FILES[module].read_text("utf-8").splitlines()) <= LONGEST
    assert not VAGUE & {part.strip("_") for part in module.split(".")}


@every_module
def test_nothing_runs_data_as_code_or_draws_from_hidden_generators(module):
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            assert called not in {"eval", "exec", "compile", "__import__"}, f"line {node.lineno}"
            assert not called.startswith("random."), f"line {node.lineno}"
            draws = re.fullmatch(r"(?:np|numpy)\.random\.(\w+)", called)
            assert not draws or draws[1] in {"default_rng", "SeedSequence"}, f"line {node.lineno}"
            assert called != "np.random.default_rng" or node.args, f"line {node.lineno}: a generator without a seed"
            options = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
            assert options.get("allow_pickle", "False") == "False", f"line {node.lineno}"
    forbidden = {"pickle", "marshal", "shelve", "dill", "random", "numpy.random"}
    assert not forbidden & set(imports_of(TREES[module]))


def test_the_command_line_starts_without_what_only_commands_need():
    heavy = ("numpy", "pydantic", "yaml", "rich")
    program = f"import rnncli.cli.app, sys; print(*(name for name in {heavy} if name in sys.modules))"
    found = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout == "\n"


def test_these_tests_see_an_import_inside_a_function():
    tree = ast.parse("import a.b\ndef f():\n    from rnncli.nn import parameter, losses\n    from c import d\n")
    assert list(imports_of(tree)) == ["a.b", "rnncli.nn.parameter", "rnncli.nn.losses", "c"]
    assert set(imports_of(TREES["rnncli.cli.train"])) >= {"rnncli.experiments", "typer"}
