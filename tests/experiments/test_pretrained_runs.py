"""Runs whose embedding begins with the vectors of a file, or keeps them."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from rnncli import experiments
from rnncli.data import TokenizerSpec
from rnncli.errors import CheckpointError, DataError, UsageError
from rnncli.models.embedding_spec import EmbeddingSpec
from rnncli.spec import read_spec
from rnncli.training import checkpoint as checkpoints
from rnncli.training.optimizers import Adam
from tests.conformance.test_resume import cut, outcome
from tests.tasks.labelled_runs import CSV, labelled_task
from tests.tasks.tiny_runs import TEXT, tiny_task

FROZEN = EmbeddingSpec("pretrained", path="vectors.txt")
TRAINABLE = EmbeddingSpec("pretrained", path="vectors.txt", trainable=True)
GIVEN = {"a": (1.0, 0.5), "good": (3.0, -1.0), "bad": (-3.0, -1.0), "fine": (2.5, 0.0), "Dull": (9.0, 9.0)}
UNSEEN = {"splendid": (3.5, -1.0), "awful": (-3.5, -1.0)}
LETTERS = {"ab": (0.5, 1.0, 2.0), "Cad": (7.0, 7.0, 7.0), "e": (-1.0, 0.25, 3.0), "bead": (1.5, -2.0, 0.0)}


def written(folder, vectors):
    lines = (f"{word} {' '.join(map(str, vector))}\n" for word, vector in vectors.items())
    (folder / "vectors.txt").write_text("".join(lines))


def reviews(embedding=FROZEN, **training):
    """Classification whose words are all in the vocabulary, "dull", "film" and others without a vector."""
    return labelled_task(model={"embedding": embedding, "dropout": 0.3}, **training)


def poems(embedding=FROZEN, **training):
    """A language model of words, of which "cad" and "fog" have no vector."""
    return tiny_task(data={"tokenizer": TokenizerSpec(level="word")}, model={"embedding": embedding}, **training)


def begun(folder, task=None, name="run", *, twice=False, **options):
    """A run on files that lie in the folder."""
    task = reviews() if task is None else task
    written(folder, GIVEN | UNSEEN if isinstance(task, type(reviews())) else LETTERS)
    (folder / "data.csv").write_text(CSV + CSV.partition("\n")[2] * twice)
    (folder / "corpus.txt").write_text(TEXT)
    return experiments.start(task, folder, folder / name, **options)


def table(run):
    """The vector of every token."""
    vocabulary = run.task.read(run.folder, run.dataset.resources).resources["vocabulary"]["tokens"]
    vectors = run.model.embedding.vectors(np.arange(len(vocabulary)))
    return dict(zip(vocabulary, vectors.copy(), strict=True))


class TestFrozen:
    def test_given_vectors_stay_and_others_are_learned(self, tmp_path):
        run = begun(tmp_path)
        before = table(run)
        for _ in run.events():
            pass
        after = table(run)
        given = {"a", "good", "bad", "fine", *UNSEEN}
        assert given | {"<unk>", "dull", "film", "the", "and", "plot"} == before.keys()
        for word, vector in before.items():
            if word in given:
                assert vector.tolist() == [*(GIVEN | UNSEEN)[word]]
                assert after[word].tobytes() == vector.tobytes()
            elif word != "<unk>":  # which training has not seen
                assert (after[word] != vector).all(), word
        stored = checkpoints.load(run.folder / "best.npz").weights
        assert stored["embedding.frozen"].tobytes() == run.model.embedding.frozen.value.tobytes()

    def test_they_cost_the_optimizer_nothing(self, tmp_path):
        run = begun(tmp_path)
        learned = sum(p.value.size for p in run.model.parameters().values()) - 2 * (4 + len(UNSEEN))
        assert run.trainer.flat.values.size == run.trainer.flat.grads.size == learned
        assert {name: slot.size for name, slot in run.trainer.slots.items()} == {
            "mean": learned,
            "mean_square": learned,
        }
        assert f"{learned:,} parameters and 12 frozen ones, 12 tokens → 2 labels" in run.summary()
        frozen = run.model.embedding.frozen
        assert not np.shares_memory(frozen.value, run.trainer.flat.values)
        assert frozen.value is run.dataset.vectors.vectors  # once in memory

    def test_weight_decay_leaves_them_alone(self, tmp_path):
        run = begun(tmp_path, reviews(optimizer=Adam(learning_rate=0.02, weight_decay=0.1)))
        before = run.model.embedding.frozen.value.copy()
        next(iter(run.events()))
        np.testing.assert_array_equal(run.model.embedding.frozen.value, before)

    def test_words_without_a_vector_begin_at_the_deviation_of_the_others(self, tmp_path):
        run = begun(tmp_path)
        deviation = np.std([*itertools.chain(*(GIVEN[word] for word in ("a", "good", "bad", "fine")))])
        assert run.dataset.resources["pretrained"]["deviation"] == pytest.approx(deviation)
        others = begun(tmp_path, reviews(EmbeddingSpec(size=2)), "others").model.embedding.weight.value
        missing = run.model.embedding.weight.value
        np.testing.assert_allclose(missing, others[: len(missing)] * (deviation / 0.1), rtol=1e-5)

    def test_a_word_that_only_the_file_has_is_read_by_its_vector(self, tmp_path):
        run = begun(tmp_path)
        for _ in run.events():
            pass
        model = experiments.load(run.folder).sequences
        probabilities = model.outputs([model.read(word, "") for word in ("splendid", "awful", "nonsense")])
        positive = dict(zip(("splendid", "awful", "nonsense"), probabilities[model.names.index("pos")], strict=True))
        assert positive["splendid"] > 0.8
        assert positive["awful"] < 0.2
        known = model.inputs.vocabulary
        assert [known.tokens[i] for i in model.read("A SPLENDID nonsense", "")] == ["a", "splendid", "<unk>"]

    def test_a_cased_word_is_read_by_the_vector_of_its_lower_case_form(self, tmp_path):
        run = begun(tmp_path, labelled_task({"tokenizer": TokenizerSpec(level="word")}, {"embedding": FROZEN}))
        model = experiments.load(run.folder if list(run.events()) else None).sequences
        tokens = model.inputs.vocabulary.tokens
        assert [tokens[i] for i in model.read("Splendid Good Film Dull dull", "")] == [
            "splendid",
            "good",
            "<unk>",  # "film" has a learned vector, which is that of no other word
            "Dull",  # a word of the file
            "dull",
        ]


class TestTrainable:
    def test_given_vectors_are_a_beginning(self, tmp_path):
        run = begun(tmp_path, reviews(TRAINABLE))
        before = table(run)
        for _ in run.events():
            pass
        after = table(run)
        assert not before.keys() & UNSEEN.keys()
        for word in ("a", "good", "bad", "fine"):
            assert before[word].tolist() == [*GIVEN[word]]
            assert (after[word] != before[word]).all()
        assert run.model.embedding.frozen is None
        assert "frozen" not in run.summary()


class TestLanguageModels:
    @pytest.mark.parametrize("embedding", [FROZEN, TRAINABLE], ids=["frozen", "trainable"])
    def test_words_after_a_space_have_the_vector_of_the_word(self, tmp_path, embedding):
        run = begun(tmp_path, poems(embedding))
        before = table(run)
        for _ in run.events():
            pass
        after = table(run)
        assert {"<unk>", "\n", "ab", " ab", "cad", " cad", " fog", "e", " e", "bead", " bead"} <= before.keys()
        assert "Cad" not in before
        for token, vector in before.items():
            if token.strip() in LETTERS:
                assert vector.tolist() == [*LETTERS[token.strip()]]
            stays = embedding is FROZEN and token.strip() in LETTERS
            if token != "<unk>":
                assert (after[token] == vector).all() == stays, token
        last, part = experiments.load(run.folder / "last.npz"), run.dataset.splits.validation
        stored = last.model.embedding.vectors(np.arange(len(before)))
        np.testing.assert_array_equal(stored, np.array([*after.values()]))
        assert last.task.evaluate(last.model, last.resources, part) == run.task.evaluate(run.model, {}, part)

    def test_extra_words_are_refused(self):
        with pytest.raises(ValueError, match="extra_words is for classifiers"):
            poems(EmbeddingSpec("pretrained", path="vectors.txt", extra_words=3))
        assert poems(EmbeddingSpec("pretrained", path="vectors.txt", extra_words=0))


TASKS = {
    "reviews, frozen": reviews,
    "reviews, trainable": lambda **training: reviews(TRAINABLE, **training),
    "poems, frozen": poems,
    "poems, trainable": lambda **training: poems(TRAINABLE, **training),
}


class TestStored:
    @pytest.mark.parametrize("kind", TASKS)
    def test_a_cut_run_ends_like_an_unbroken_one_without_the_file(self, tmp_path, kind):
        task = TASKS[kind](epochs=1, validate_every=5)
        whole = begun(tmp_path, task, "whole")
        events = list(whole.events())
        cut(begun(tmp_path, task, "cut"), 7)
        (tmp_path / "vectors.txt").unlink()
        run = experiments.resume(tmp_path / "cut", {})
        assert run.dataset.vectors is None
        assert list(run.events()) == events[7:]
        for each in (whole, run):
            each.trainer.progress.state = each.trainer.progress.state or []
        assert outcome(run) == outcome(whole)

    def test_with_workers_too(self, tmp_path):
        task = reviews(batch_size=8, workers=2, epochs=1)
        cut(begun(tmp_path, task, "cut", twice=True), 3)
        whole = begun(tmp_path, task, "whole", twice=True)
        before = whole.model.embedding.frozen.value.copy()
        events = list(whole.events())
        assert whole.trainer.workers == 2
        assert list(experiments.resume(tmp_path / "cut", {}).events()) == events[3:]
        np.testing.assert_array_equal(whole.model.embedding.frozen.value, before)

    @pytest.mark.parametrize("kind", TASKS)
    def test_a_stored_model_answers_the_same_without_the_file(self, tmp_path, kind):
        run = begun(tmp_path, TASKS[kind](epochs=1))
        for _ in run.events():
            pass
        (tmp_path / "vectors.txt").unlink()
        loaded = experiments.load(run.folder / "last.npz")
        part = run.dataset.splits.validation
        scores = [run.task.evaluate(model, run.dataset.resources, part).loss for model in (run.model, loaded.model)]
        assert scores[0] == scores[1]

    def test_the_spec_of_a_run_trains_it_again(self, tmp_path):
        (tmp_path / "inner").mkdir()
        run = begun(tmp_path, reviews(epochs=1), "inner/run")
        events = list(run.events())
        experiments.write_spec(run)
        spec = run.folder / "spec.yaml"
        task = experiments.task_from(read_spec(spec))
        assert task.model.embedding.path == "../../vectors.txt"
        again = experiments.start(task, run.folder, tmp_path / "again")
        assert again.task.model.embedding.path == "../vectors.txt"
        assert list(again.events()) == events

    @pytest.mark.parametrize("kind", TASKS)
    def test_a_new_run_begins_with_the_vectors_of_another(self, tmp_path, kind):
        origin = begun(tmp_path, TASKS[kind](epochs=1), "origin")
        for _ in origin.events():
            pass
        (tmp_path / "vectors.txt").rename(tmp_path / "moved.txt")
        default = type(origin.task)(data=TASKS[kind]().data)
        default = replace(default, data=replace(default.data, tokenizer=type(origin.task)().data.tokenizer))
        for number, task in enumerate((TASKS[kind](), default)):  # the same vectors, or none of its own
            run = experiments.start(task, tmp_path, tmp_path / f"new {number}", init_from=origin.folder)
            assert run.task.model.embedding.path == "../vectors.txt"
            stored = {name: parameter.value for name, parameter in origin.model.parameters().items()}
            best = checkpoints.load(origin.folder / "best.npz").weights
            for name, parameter in run.model.parameters().items():
                np.testing.assert_array_equal(parameter.value, best[name])
                assert parameter.value.shape == stored[name].shape
            assert run.dataset.resources == origin.dataset.resources
            next(iter(run.events()))

    def test_it_is_the_same_file_however_its_path_is_written(self, tmp_path):
        origin = begun(tmp_path, name="deep/er/origin")
        next(iter(origin.events()))
        task = reviews(replace(FROZEN, path=str(tmp_path / "deep" / ".." / "vectors.txt")))
        run = experiments.start(task, tmp_path, tmp_path / "new", init_from=origin.folder)
        assert run.task.model.embedding.path == "../vectors.txt"

    def test_vectors_of_another_file_do_not_go_with_those_of_a_model(self, tmp_path):
        origin = begun(tmp_path)
        next(iter(origin.events()))
        for embedding in (EmbeddingSpec("pretrained", path="other.txt"), EmbeddingSpec(size=2), TRAINABLE):
            with pytest.raises(UsageError, match="brings its own model"):
                experiments.start(reviews(embedding), tmp_path, tmp_path / "new", init_from=origin.folder)

    def test_a_checkpoint_whose_vectors_do_not_fit_is_refused(self, tmp_path):
        run = begun(tmp_path)
        next(iter(run.events()))
        stored = checkpoints.load(run.folder / "last.npz")
        plain = stored.resources["pretrained"]
        changes = [
            stored.resources | {"pretrained": plain | {"learned": plain["learned"][:-1]}},
            stored.resources | {"pretrained": plain | {"size": 3}},
            stored.resources | {"pretrained": plain | {"learned": [0, 10**9]}},
            {name: value for name, value in stored.resources.items() if name != "pretrained"},
        ]
        for resources in changes:
            checkpoints.save(run.folder / "last.npz", replace(stored, resources=resources))
            with pytest.raises(CheckpointError):
                experiments.load(run.folder / "last.npz")
        weights = {name: array for name, array in stored.weights.items() if name != "embedding.frozen"}
        checkpoints.save(run.folder / "last.npz", replace(stored, weights=weights))
        with pytest.raises(CheckpointError, match=r"no embedding\.frozen"):
            experiments.resume(run.folder, {})


class TestPlans:
    def test_a_plan_tells_of_the_vectors_and_writes_nothing(self, tmp_path):
        begun(tmp_path, name="other")
        plan = experiments.plan(reviews(), tmp_path, tmp_path / "run")
        assert plan["frozen_parameters"] == 12
        assert plan["notices"][0].startswith("vectors: 4 of 9 words (44.4%), ")
        assert plan["notices"][0].endswith(" of the tokens to train on; and 2 words more")
        assert not (tmp_path / "run").exists()

    def test_vectors_are_for_words_alone(self, tmp_path):
        (tmp_path / "steps.csv").write_text("x,label\n" + "".join(f"{i},{i % 2}\n" for i in range(60)))
        written(tmp_path, GIVEN)
        task = labelled_task({"train": "steps.csv", "columns": ("x",)}, {"embedding": FROZEN})
        with pytest.raises(DataError) as caught:
            experiments.plan(task, tmp_path)
        assert caught.value.message == "pretrained vectors are for words, and these are vectors"

    def test_a_missing_file_is_found_out_before_the_data_are_read(self, tmp_path):
        for task in (reviews(), poems()):
            with pytest.raises(DataError, match=r"vectors\.txt: no such file or folder"):
                experiments.plan(task, tmp_path)
