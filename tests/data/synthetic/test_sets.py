import pytest
import yaml

from rnncli.data.synthetic import SETS, Language

every_set = pytest.mark.parametrize("name", SETS)
SMALL = {"train": 30, "validation": 8, "test": 20}


def files(name, seed=1, **options):
    return dict(SETS[name](**(SMALL | options)).files(seed))


@every_set
def test_files(name):
    made = files(name)
    assert tuple(made) == SETS[name]().file_names()
    stems = dict.fromkeys(file.rsplit(".", 1)[0] for file in made)
    assert list(stems) == ["train", "validation", "test", name]


@every_set
def test_the_seed_decides(name):
    first, again, other = files(name), files(name), files(name, seed=2)
    assert first == again
    assert [file for file in first if first[file] == other[file]] == [f"{name}.yaml"]


@every_set
def test_splits_do_not_depend_on_each_other(name):
    small, large = files(name), files(name, train=31)
    train, *_ = small
    assert small[train] != large[train]
    assert {file for file in small if small[file] == large[file]} == {file for file in small if "train" not in file}
    alike = files(name, train=20, validation=20)
    assert alike[train] != alike[train.replace("train", "validation")]


@every_set
def test_options_are_fields(name):
    options = SETS[name].options()
    assert options[:3] == ("train", "validation", "test")
    assert set(options[3:]) == SETS[name].bounds.keys()
    assert options[3:] or name in ("dates", "shapes")


@every_set
def test_sizes_of_which_there_is_no_set(name):
    for option, (least, greatest) in SETS[name].bounds.items():
        for value in (least - 1, greatest + 1):
            with pytest.raises(ValueError, match=rf"^{option} must be from {least} to [\d,]+, not "):
                SETS[name](**{option: value})
        assert files(name, **{option: least}).keys() == files(name).keys()
    with pytest.raises(ValueError, match=r"^test must be from 4 to 50,000,000, not 3$"):
        SETS[name](test=3)
    with pytest.raises(ValueError, match=r"^train, validation and test may have [\d,]+ steps, more than 50,000,000$"):
        SETS[name](train=50_000_000)


@every_set
def test_spec_names_the_files_and_the_task(name):
    chosen = SETS[name]()
    spec = yaml.safe_load(chosen.spec())
    assert spec["task"] == chosen.task
    for split in ("train", "validation", "test"):
        names = spec["data"][split]
        assert ([names] if isinstance(names, str) else names) == list(chosen.split_names(split))
    assert (spec["data"].get("format") == "lines") == isinstance(chosen, Language)
    assert spec["training"]["random_seed"] == 1
    lines = chosen.spec().splitlines()
    assert lines[0].startswith("# ")
    assert f"rnncli train --spec {name}/{name}.yaml" in chosen.spec()
    assert max(map(len, lines)) <= 120


@every_set
def test_specs_say_the_options(name):
    for option in SETS[name].bounds:
        assert "12" in SETS[name](**{option: 12}).spec()
        assert SETS[name](**{option: 12}).spec() != SETS[name]().spec()


@every_set
def test_descriptions(name):
    chosen = SETS[name]
    assert chosen.name == name
    assert len(f"{name}  {chosen.title}  {chosen.task}") <= 90
    assert chosen.source
    assert chosen.chance
