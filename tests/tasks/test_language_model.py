from pathlib import Path

import numpy as np
import pytest

from rnncli import experiments
from rnncli.data import Streams, TokenizerSpec
from rnncli.errors import DataError
from rnncli.models import ngram
from rnncli.tasks.language_model import SAMPLE_LENGTH, LanguageModelTask, vocabulary_of
from rnncli.tasks.text_spec import SplitSpec, TextDataSpec, TextTrainingSpec
from rnncli.training.events import Finished, StepDone, Validated
from tests.data.small_vocabularies import built
from tests.tasks.tiny_runs import TEXT, start, tiny_task, trained

MODES = {
    "characters": {},
    "bytes": {"data": {"tokenizer": TokenizerSpec("byte")}},
    "words": {"data": {"tokenizer": TokenizerSpec("word")}},
    "lines": {"data": {"format": "lines"}},
    "truncated lines": {"data": {"format": "lines"}, "bptt": "truncated"},
    "full": {"bptt": "full"},
    "windows": {"state": "reset", "stride": 7},
}


@pytest.mark.parametrize("size", [3, 10, 100, 1000])
@pytest.mark.parametrize("mode", MODES)
def test_a_small_corpus_trains_at_the_default_sizes(tmp_path, mode, size):
    task = tiny_task(batch_size=50, bptt_length=50, epochs=1, **MODES[mode])
    text = ("a b\nc: " if size == 3 else "") + TEXT
    run = start(task, tmp_path, text=text[:size])
    *steps, validated, finished = run.events()
    assert [type(event) for event in steps] == [StepDone] * len(run.trainer.batches)
    assert isinstance(validated, Validated)
    assert isinstance(finished, Finished)
    assert np.isfinite(validated.loss.mean)
    assert (validated.split == "validation") == bool(run.dataset.splits.validation)
    assert all(np.isfinite(score.loss.mean) for score in experiments.score_run(run))
    shrunk = [notice for notice in run.notices if notice.startswith("small corpus (")]
    assert shrunk == [
        f"small corpus ({run.dataset.tokens('train'):,} tokens): {name} 50 → {getattr(run.task.training, name)}"
        for name in ("batch_size", "bptt_length")
        if getattr(run.task.training, name) != 50
    ]
    assert shrunk or mode == "full"
    assert sum(event.loss.count for event in steps) >= run.dataset.tokens("train") - 1


def test_a_large_corpus_shrinks_nothing(tmp_path):
    task = tiny_task()
    run = start(task, tmp_path)
    assert run.notices == []
    assert run.task.training == task.training


def test_lines_need_no_reset():
    with pytest.raises(ValueError, match="each line begins with a fresh state anyway"):
        LanguageModelTask(data=TextDataSpec(format="lines"), training=TextTrainingSpec(state="reset"))


def test_the_model_has_the_size_of_its_vocabulary_and_begins_at_the_generator(tmp_path):
    task = tiny_task()
    (tmp_path / "corpus.txt").write_text(TEXT)
    dataset = task.read(tmp_path)
    resources = dataset.resources
    assert vocabulary_of(resources) == dataset.vocabulary
    drawn = [task.build_model(resources, np.random.default_rng(seed)).parameters() for seed in (1, 1, 2)]
    weights = [{name: parameter.value.tobytes() for name, parameter in each.items()} for each in drawn]
    assert weights[0] == weights[1] != weights[2]
    assert drawn[0]["output.bias"].value.shape == (len(dataset.vocabulary),)
    assert drawn[0]["output.bias"].value.dtype == np.float32
    empty = task.build_model(resources, None, np.float64).parameters()
    assert {parameter.value.dtype for parameter in empty.values()} == {np.dtype(np.float64)}
    assert not empty["embedding.weight"].value.any()


@pytest.mark.parametrize("resources", [{}, {"vocabulary": []}, {"vocabulary": {"tokens": ["a"]}}])
def test_resources_without_a_vocabulary_are_refused(resources):
    with pytest.raises(DataError, match="not a vocabulary"):
        vocabulary_of(resources)


def test_a_split_that_is_empty_is_not_evaluated(tmp_path):
    run = start(tiny_task(data={"split": SplitSpec(0.1, 0.0)}), tmp_path)
    (score,) = scores(run, "validation", "test")
    assert score.split == "validation"
    assert score.loss.count == run.dataset.tokens("validation") - 1
    assert run.trainer.validate().loss == score.loss
    assert scores(run, "test") == []
    run = start(tiny_task(data={"split": SplitSpec(0.0, 0.1)}), tmp_path, "blind")
    assert run.trainer.validate is None


def test_an_evaluation_is_the_loss_alone_with_each_token_predicted_once(tmp_path):
    run = start(tiny_task(state="reset", stride=2), tmp_path)
    part = run.dataset.splits.test
    found = run.task.evaluate(run.model, run.dataset.resources, part)
    whole, _, _ = run.model.loss(next(Streams(part.ids[:], 1, part.size).epoch(np.random.default_rng(0))))
    assert found.metrics == {}
    assert found.loss.count == whole.count == run.dataset.tokens("test") - 1
    assert found.loss.sum == pytest.approx(whole.sum, rel=1e-5)


@pytest.mark.parametrize("level", ["character", "byte", "word"])
def test_a_loss_is_counted_by_the_tokens(level):
    assert tiny_task(data={"tokenizer": TokenizerSpec(level)}).unit == level


def test_a_sample_is_text_of_the_model(tmp_path):
    run, _ = trained(tiny_task(epochs=1), tmp_path)
    text = run.task.sample(run.model, run.dataset)
    assert len(text) == SAMPLE_LENGTH
    assert set(text) <= set(TEXT)
    for parameter in run.model.parameters().values():
        parameter.value[:] = 0
    run.model.output.bias.value[run.dataset.vocabulary.tokens.index("g")] = 99
    assert run.task.sample(run.model, run.dataset) == "g" * SAMPLE_LENGTH


def test_full_backpropagation_is_one_window_of_the_whole_text(tmp_path):
    run = start(tiny_task(bptt="full"), tmp_path)
    (batch,) = run.trainer.batches.epoch(np.random.default_rng(0))
    assert batch.tokens == run.dataset.tokens("train") - 1
    assert batch.inputs.shape == (-(-batch.tokens // 3), 3)
    assert not batch.carry


def scores(run, *splits):
    parts = {split: run.dataset.part(split) for split in splits}
    return run.task.scores(run.model, run.dataset.resources, run.dataset.splits.train, parts)


def baselines(run, *splits):
    return {score.split: score.baselines for score in scores(run, *splits)}


class TestBaselines:
    def test_they_are_the_ngram_models_of_the_training_ids(self, tmp_path):
        run = start(tiny_task(), tmp_path)
        train, test = run.dataset.splits.train, run.dataset.splits.test
        found = baselines(run, "test")["test"]
        assert found == ngram.baselines(train, {"": test}, len(run.dataset.vocabulary))[""]
        assert list(found) == ["unigram", "bigram", "5-gram"]
        assert 0 < found["bigram"] < found["unigram"] < np.log(len(run.dataset.vocabulary))

    def test_lines_are_read_from_begin_to_end_as_the_model_reads_them(self, tmp_path):
        run = start(tiny_task(data={"format": "lines"}), tmp_path)
        vocabulary, part = run.dataset.vocabulary, run.dataset.splits.validation
        ids, starts = part.ids[:].tolist(), part.starts[:].tolist()
        assert {ids[start] for start in starts[:-1]} == {vocabulary.begin_id}
        assert {ids[stop - 1] for stop in starts[1:]} == {vocabulary.end_id}
        score = experiments.score_run(run)[0]
        assert score.loss.count == part.size - len(part)
        assert score.baselines == baselines(run, "validation")["validation"]

    def test_several_splits_need_one_count(self, tmp_path, monkeypatch):
        run = start(tiny_task(), tmp_path)
        alone = {split: baselines(run, split)[split] for split in ("validation", "test")}
        counted = []
        count = ngram._count
        monkeypatch.setattr(ngram, "_count", lambda *arguments: counted.append(1) or count(*arguments))
        assert baselines(run, "validation", "test") == alone
        assert len(counted) == 5

    def test_without_a_text_to_learn_from_there_are_none(self, tmp_path):
        run = start(tiny_task(), tmp_path)
        part = run.dataset.splits.test
        (score,) = run.task.scores(run.model, run.dataset.resources, (), {"given": part})
        assert (score.split, score.baselines) == ("given", {})
        assert score.loss == scores(run, "test")[0].loss


class TestMoved:
    def test_paths_lead_from_the_run_to_the_corpus_whatever_the_working_folder(self, tmp_path, monkeypatch):
        (tmp_path / "texts").mkdir()
        (tmp_path / "texts" / "a.txt").write_text(TEXT)
        (tmp_path / "b.txt").write_text(TEXT)
        monkeypatch.chdir(tmp_path)
        data = {"train": ("a.txt", "../b.txt"), "validation": str(tmp_path / "b.txt"), "test": "*.txt"}
        run = experiments.start(tiny_task(data=data, steps=2), tmp_path / "texts", tmp_path / "runs" / "new" / "run")
        assert run.task.data.train == ("../../../texts/a.txt", "../../../b.txt")
        assert run.task.data.validation == "../../../b.txt"
        assert run.task.data.test == "../../../texts/*.txt"
        list(run.events())
        monkeypatch.chdir("/")
        assert experiments.resume(run.folder, {}).trainer.progress.step == 2

    def test_a_relative_run_folder(self, tmp_path, monkeypatch):
        (tmp_path / "corpus.txt").write_text(TEXT)
        monkeypatch.chdir(tmp_path)
        run = experiments.start(tiny_task(steps=2), Path(), Path("runs/run"))
        assert run.task.data.train == "../../corpus.txt"
        assert run.task.data.validation == ()
        list(run.events())
        monkeypatch.chdir(tmp_path / "runs")
        scores, notices = experiments.evaluate_splits(experiments.load(Path("run")), ["validation"])
        assert notices == []
        assert scores[0].loss.count == run.dataset.tokens("validation") - 1

    def test_a_folder_of_runs_that_is_a_link_to_another_disk(self, tmp_path):
        (tmp_path / "disk" / "deep").mkdir(parents=True)
        (tmp_path / "project").mkdir()
        (tmp_path / "corpus.txt").write_text("another text altogether")
        (tmp_path / "project" / "runs").symlink_to(tmp_path / "disk" / "deep")
        (tmp_path / "project" / "corpus.txt").write_text(TEXT)
        run = experiments.start(tiny_task(steps=2), tmp_path / "project", tmp_path / "project" / "runs" / "run")
        list(run.events())
        assert experiments.resume(run.folder, {}).dataset.tokens("train") == run.dataset.tokens("train")
        assert experiments.evaluate_splits(experiments.load(run.folder), ["test"])[1] == []

    def test_a_spec_in_a_folder_that_is_a_link(self, tmp_path):
        (tmp_path / "far" / "specs").mkdir(parents=True)
        (tmp_path / "far" / "corpus.txt").write_text(TEXT)
        (tmp_path / "specs").symlink_to(tmp_path / "far" / "specs")
        task = tiny_task(data={"train": "../corpus.txt"}, steps=2)
        run = experiments.start(task, tmp_path / "specs", tmp_path / "run")
        list(run.events())
        assert experiments.resume(run.folder, {}).trainer.progress.step == 2


def test_training_beats_the_baseline_that_knows_no_order(tmp_path):
    run, _ = trained(tiny_task(cell="gru", epochs=15, patience=None), tmp_path)
    (validation, test) = experiments.score_run(run)
    assert [validation.split, test.split] == ["validation", "test"]
    assert validation.loss.mean < validation.baselines["unigram"] - 0.3
    assert test.loss.mean < test.baselines["unigram"] - 0.3


def test_a_vocabulary_can_be_given(tmp_path):
    (tmp_path / "corpus.txt").write_text(TEXT)
    vocabulary = built(["abc "], TokenizerSpec(), items=False)
    task = tiny_task()
    dataset = task.read(tmp_path, {"vocabulary": vocabulary.to_plain()})
    assert dataset.vocabulary == vocabulary
    assert dataset.resources == {"vocabulary": vocabulary.to_plain()}
    assert "not in the vocabulary" in dataset.notices[0]
