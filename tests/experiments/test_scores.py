import io

import numpy as np
import pytest

from rnncli import experiments
from rnncli.errors import DataError
from rnncli.models import ngram
from rnncli.tasks.language_model import TextScore
from rnncli.tasks.text_data import evaluation_batches
from rnncli.training.evaluation import evaluate
from tests.tasks.tiny_runs import LINES, TEXT, tiny_task, trained

TOLERANCE = 1e-6


@pytest.fixture
def finished(tmp_path):
    """A finished run whose last model is not its best."""
    run, _ = trained(tiny_task(cell="gru", epochs=3), tmp_path)
    run.trainer.flat.values[:] = 0
    return run


def test_the_best_model_is_scored_beside_the_baselines(finished):
    best = experiments.load(finished.folder / "best.npz")
    task, dataset = finished.task, finished.dataset
    assert experiments.score_run(finished) == [
        TextScore(
            split,
            evaluate(best.model, evaluation_batches(task.data, task.training, dataset.part(split))),
            ngram.baselines(dataset.splits.train, {"": dataset.part(split)}, len(dataset.vocabulary))[""],
        )
        for split in ("validation", "test")
    ]
    (finished.folder / "best.npz").unlink()
    validation, _ = experiments.score_run(finished)
    assert validation.loss.mean == pytest.approx(np.log(len(finished.dataset.vocabulary)), rel=1e-6)


def test_a_stored_model_scores_what_it_scored_after_training(finished):
    scores, notices = experiments.evaluate_splits(experiments.load(finished.folder), ("validation", "test"))
    assert scores == experiments.score_run(finished)
    assert notices == []
    (only,) = experiments.evaluate_splits(experiments.load(finished.folder), ("test",))[0]
    assert only == scores[1]


def test_it_says_when_its_text_has_changed_and_fails_when_it_is_gone(finished):
    corpus = finished.folder.parent / "corpus.txt"
    corpus.write_text(TEXT.replace("fog", "ÿog"))
    _, notices = experiments.evaluate_splits(experiments.load(finished.folder), ("test",))
    assert notices[-1].startswith("the training data has changed since the model was trained")
    assert "of the train tokens are not in the vocabulary" in notices[0]
    corpus.unlink()
    with pytest.raises(DataError, match=r"corpus\.txt: no such file"):
        experiments.evaluate_splits(experiments.load(finished.folder), ("test",))


@pytest.mark.parametrize("data_format", ["stream", "lines"])
def test_other_files_are_scored_as_splits_are(tmp_path, monkeypatch, data_format):
    task = tiny_task(data={"format": data_format, "test": "other.txt"}, epochs=1)
    (tmp_path / "other.txt").write_text("\n".join(LINES[:9]))
    run, _ = trained(task, tmp_path)
    loaded = experiments.load(run.folder)
    scores, notices = experiments.evaluate_files(loaded, [str(tmp_path / "other.txt")], encoding=None)
    (test,), _ = experiments.evaluate_splits(loaded, ("test",))
    assert scores == [TextScore("given", test.loss, test.baselines)]
    assert notices == []
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO("\n".join(LINES[:9]).encode())))
    piped = experiments.evaluate_files(loaded, ["-"], encoding="utf-8")
    assert piped == (scores, notices)


def test_baselines_of_a_text_that_has_changed_are_told_from_the_others(finished, tmp_path):
    loaded = experiments.load(finished.folder)
    (tmp_path / "other.txt").write_text("fog cab " * 20)
    (clean,), notices = experiments.evaluate_files(loaded, [str(tmp_path / "other.txt")], encoding=None)
    assert notices == []
    (tmp_path / "corpus.txt").write_text(TEXT.replace("fog", "gof"))
    (score,), notices = experiments.evaluate_files(loaded, [str(tmp_path / "other.txt")], encoding=None)
    assert notices == ["the training data has changed since the model was trained"]
    assert score.loss == clean.loss
    assert score.baselines != clean.baselines


def test_a_model_whose_text_is_gone_scores_without_baselines(finished, tmp_path):
    (tmp_path / "other.txt").write_bytes("ab cab é".encode("latin-1"))
    (tmp_path / "corpus.txt").unlink()
    (score,), notices = experiments.evaluate_files(
        experiments.load(finished.folder), [str(tmp_path / "other.txt")], encoding="latin-1"
    )
    assert (score.split, score.loss.count, score.baselines) == ("given", 7, {})
    assert notices[0] == "12.50% of the given tokens are not in the vocabulary"
    assert notices[1].startswith("no baselines: ")
