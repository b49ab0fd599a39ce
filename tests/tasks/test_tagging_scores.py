"""What a tagger's answers are worth: counted by hand, one sequence after the other, beside the baselines."""

from collections import Counter
from itertools import pairwise, product

import numpy as np
import pytest

from rnncli import experiments
from rnncli.data import batch_of, example_batches
from rnncli.tasks.tagging_scores import answers, evaluated, score
from tests.tasks.tagged_runs import FRAMES, OF_FRAMES, SENTENCES, conll, start, tagged_task, trained

SEVERAL = {"train": "several.csv", "multi_label": True, **OF_FRAMES}
NEW = "Zoe B-PER\nsaw O\nAnn B-NEW\n\nBo B-PER\nleft O\nthe O\ndog B-ORG\n\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def spans(folder):
    """A run that has learnt something, but not all."""
    return trained(tagged_task(steps=24), folder, "spans")[0]


@pytest.fixture(scope="module")
def crf(folder):
    return trained(tagged_task({}, {"crf": True}, steps=12), folder, "crf")[0]


@pytest.fixture(scope="module")
def several(folder):
    return trained(tagged_task(SEVERAL, steps=12), folder, "several")[0]


def alone(run, part):
    """The outputs (K, T) of each sequence, read by itself."""
    return [run.model.scores(batch_of(part, np.array([i])))[..., 0].astype(np.float64) for i in range(len(part))]


def softmax(x):
    x = np.exp(x - x.max(axis=0))
    return x / x.sum(axis=0)


def given(run, text):
    (run.folder / "given.conll").write_text(text)
    return run.task.read_files([str(run.folder / "given.conll")], run.dataset.resources)[0]


def score_of(run, part, train=None):
    (found,) = score(run.model, run.dataset.resources, train, {"given": part})
    return found


class TestAnswers:
    @pytest.fixture(params=[(64, 1 << 14), (3, 1 << 14), (64, 7), (1, 1)], ids=str)
    def batches(self, request, monkeypatch):
        sequences, steps = request.param
        monkeypatch.setattr(example_batches, "SEQUENCES", sequences)
        monkeypatch.setattr(example_batches, "STEPS", steps)

    def test_of_one_label_a_step(self, spans, batches):
        part = spans.dataset.splits.train
        found = answers(spans.model, part)
        outputs = np.hstack(alone(spans, part))
        chances = softmax(outputs)
        np.testing.assert_array_equal(found.predicted, outputs.argmax(axis=0))
        np.testing.assert_allclose(found.sureness, chances.max(axis=0), rtol=1e-5)
        nats = -np.log(np.take_along_axis(chances, part.targets[None], axis=0)).sum()
        assert found.loss.count == len(part.targets)
        assert found.loss.sum == pytest.approx(nats, rel=1e-5)
        assert 0.5 < np.mean(found.predicted == part.targets) < 1
        assert len(set(found.predicted.tolist())) > 2

    def test_of_several_labels_a_step(self, several, batches):
        part = several.dataset.splits.train
        found = answers(several.model, part)
        chances = 1 / (1 + np.exp(-np.hstack(alone(several, part))))
        np.testing.assert_array_equal(found.predicted, chances >= 0.5)
        np.testing.assert_allclose(found.sureness, np.maximum(chances, 1 - chances).min(axis=0), rtol=1e-5)
        nats = -np.log(np.where(part.targets, chances, 1 - chances)).sum()
        assert found.loss.count == part.targets.size
        assert found.loss.sum == pytest.approx(nats, rel=1e-5)

    def test_of_whole_sequences(self, crf, batches):
        """The path of the largest sum, and the probability of each of its labels over all paths."""
        part = crf.dataset.splits.validation
        found = answers(crf.model, part)
        A, first, last = (parameter.value for parameter in crf.model.crf.parameters().values())
        nats, K = 0.0, len(crf.dataset.names)
        for i, outputs in enumerate(alone(crf, part)):
            own, T = slice(*part.starts[i : i + 2]), outputs.shape[1]
            paths = np.array([*product(range(K), repeat=T)])
            sums = first[paths[:, 0]] + last[paths[:, -1]] + outputs[paths, np.arange(T)].sum(axis=1)
            sums = sums + sum(A[paths[:, t], paths[:, u]] for t, u in pairwise(range(T)))
            chances = softmax(sums)
            best = paths[sums.argmax()]
            np.testing.assert_array_equal(found.predicted[own], best)
            sure = [chances[paths[:, t] == k].sum() for t, k in enumerate(best)]
            np.testing.assert_allclose(found.sureness[own], sure, rtol=1e-4)
            nats -= np.log(chances[(paths == part.targets[own]).all(axis=1)]).sum()
        assert found.loss.sum == pytest.approx(nats, rel=1e-4)
        assert found.loss.count == len(part.targets)

    @pytest.mark.parametrize("data", [{}, SEVERAL], ids=["one label", "several"])
    def test_of_a_model_that_is_fed_its_labels(self, folder, data, batches):
        """Answers are fed the model's own labels; the loss is that of the true ones, fed the true ones."""
        run = trained(tagged_task(data, {"recurrence": "both", "bidirectional": False}, steps=12), folder, "fed")[0]
        part, step = run.dataset.splits.train, run.model.decoding_step()
        found, nats = answers(run.model, part), 0.0
        for i in range(len(part)):
            batch, own = batch_of(part, np.array([i])), slice(*part.starts[i : i + 2])
            for free in (True, False):
                scores, state = step.begin(batch)
                for t in range(batch.targets.shape[-2]):
                    one, truth = scores[:, 0].astype(np.float64), batch.targets[..., t, 0]
                    said = 1 / (1 + np.exp(-one)) >= 0.5 if data else one.argmax()
                    if free:
                        np.testing.assert_array_equal(found.predicted[..., own][..., t], said)
                    elif data:
                        nats += np.log1p(np.exp(np.where(truth, -one, one))).sum()
                    else:
                        nats -= np.log(softmax(one)[truth])
                    if t + 1 < batch.targets.shape[-2]:
                        scores, state = step(np.asarray(said if free else truth)[..., None], state)
        assert found.loss.sum == pytest.approx(nats, rel=1e-5)

    def test_what_overflows_is_a_loss_that_is_not_finite_and_no_warning(self, folder):
        run = start(tagged_task(), folder, "overflow")
        run.model.output.bias.value[:] = [3e38, -3e38, 3e38, -3e38]
        run.model.output.weight.value[:] = 3e38
        assert not np.isfinite(answers(run.model, run.dataset.splits.validation).loss.sum)


class TestReports:
    def test_of_all_steps_words_never_seen_and_spans(self, spans):
        part = given(spans, NEW)
        run_score = score_of(spans, part, spans.dataset.splits.train)
        predicted = answers(spans.model, part).predicted
        names = spans.dataset.names
        truth = ["B-PER", "O", None, "B-PER", "O", "O", "B-ORG"]
        right = [names[k] == label for k, label in zip(predicted.tolist(), truth, strict=True)]
        report = run_score.report
        assert (report.element, report.steps.examples, report.sequences) == ("token", 7, 2)
        assert report.steps.accuracy == pytest.approx(np.mean(right))
        assert (report.unseen, report.unseen_accuracy) == (1, float(right[0]))
        assert report.steps.unknown == 1
        assert report.sequence_accuracy == np.mean([all(right[:3]), all(right[3:])])
        assert report.spans.support == 4
        assert {each.label for each in report.spans.labels} >= {"PER", "ORG", "(unknown)"}
        known = [k for k in range(7) if truth[k]]
        chances = softmax(np.hstack(alone(spans, part)))
        nats = -sum(np.log(chances[names.index(truth[k]), k]) for k in known)
        assert (run_score.loss.count, run_score.loss.sum) == (6, pytest.approx(nats, rel=1e-5))

    def test_the_most_frequent_tag_of_each_word_is_the_baseline(self, spans):
        train = spans.dataset.splits.train
        counts: dict[str, Counter[str]] = {}
        for i in range(len(train)):
            for token, k in zip(train.tokens(i), train.targets[slice(*train.starts[i : i + 2])], strict=True):
                counts.setdefault(token, Counter())[spans.dataset.names[k]] += 1
        assert sum(len(count) > 1 for count in counts.values()) >= 2  # some words have two
        part = spans.dataset.splits.test
        found = score_of(spans, part, train).baselines
        assert set(found) == {"most frequent tag"}
        truth = [spans.dataset.names[k] for k in part.targets.tolist()]
        guesses = [counts[token].most_common(1)[0][0] for i in range(len(part)) for token in part.tokens(i)]
        accuracy = np.mean([one == other for one, other in zip(guesses, truth, strict=True)])
        assert 0.8 < accuracy < 1
        assert found["most frequent tag"].steps.accuracy == pytest.approx(accuracy)
        assert found["most frequent tag"].spans.f1 < 1

    def test_new_words_are_of_the_kind_that_most_words_are(self, spans):
        part = given(spans, "zig O\nzag O\n\n")
        report = score_of(spans, part, spans.dataset.splits.train).baselines["most frequent tag"]
        assert (report.unseen, report.unseen_accuracy, report.steps.accuracy) == (2, 1, 1)

    def test_frames_are_beside_the_majority(self, several):
        train, test = several.dataset.splits.train, several.dataset.splits.test
        found = score_of(several, test, train)
        assert set(found.baselines) == {"majority"}
        sets = Counter(map(tuple, train.targets.T.tolist()))
        expected = np.mean([tuple(each) == sets.most_common(1)[0][0] for each in test.targets.T.tolist()])
        report = found.report
        assert found.baselines["majority"].steps.accuracy in (pytest.approx(expected), majority(train, test))
        assert (report.element, report.unseen, report.unseen_accuracy, report.spans) == ("frame", None, None, None)
        assert report.means["frame_accuracy"] > found.baselines["majority"].means["frame_accuracy"]

    @pytest.mark.parametrize("new", ["up", "also down"])  # on either side of the other in the order of labels
    def test_frames_of_one_label_are_beside_the_majority(self, folder, new):
        text = FRAMES.replace("up", new)
        run = start(tagged_task({"train": "frames.csv", **OF_FRAMES}), folder, new, **{"frames.csv": text})
        train, test = run.dataset.splits.train, run.dataset.splits.test
        most = int(np.bincount(train.targets).argmax())
        assert score_of(run, test, train).baselines["majority"].steps.accuracy == np.mean(test.targets == most)

    def test_without_training_data_there_is_nothing_to_compare_with(self, spans):
        found = score_of(spans, spans.dataset.splits.test)
        assert (found.baselines, found.report.unseen) == ({}, None)
        assert "unseen_accuracy" not in found.report.means

    def test_the_validation_of_a_run_has_the_same_numbers(self, spans):
        resources, part = spans.dataset.resources, spans.dataset.splits.validation
        loss, means = evaluated(spans.model, resources, part)
        found = score_of(spans, part)
        assert (loss, means) == (found.loss, found.report.means)
        assert set(means) == {"token_accuracy", "span_f1", "macro_f1", "sequence_accuracy"}
        scores = experiments.score_run(spans)
        assert [each.split for each in scores] == ["validation", "test"]  # of its best model, not of its last

    def test_parts_that_are_empty_are_left_out(self, spans):
        empty = spans.dataset.splits.test.part(np.zeros(0, np.intp))
        assert score(spans.model, spans.dataset.resources, None, {"test": empty}) == []


def majority(train, test):
    """Each label by itself."""
    most = train.targets.mean(axis=1) > 0.5
    return pytest.approx(np.mean((most == test.targets.T).all(axis=1)))


class TestMistakes:
    def test_the_surest_come_first_and_are_shown_among_their_neighbours(self, spans):
        text = conll(SENTENCES[:9]).replace("-PER", "-ORG")
        part = given(spans, "\n".join("\t".join(line.split("\t")[::2]) for line in text.split("\n")))
        found = answers(spans.model, part)
        names = spans.dataset.names
        tokens = [part.tokens(i) for i in range(len(part))]
        expected = []
        for step in np.flatnonzero(found.predicted != part.targets).tolist():
            i = part.sequence_of(step)
            t = step - part.starts[i]
            own = tokens[i]
            around = [*own[max(0, t - 3) : t], f"[{own[t]}]", *own[t + 1 : t + 4]]
            line = step + i + 1  # a blank line after each sentence before
            truth = names[part.targets[step]] if part.targets[step] >= 0 else "(unknown)"
            guess = names[found.predicted[step]]
            expected.append((-found.sureness[step], str(line), " ".join(around), truth, guess))
        mistakes = [*score_of(spans, part).mistakes()]
        assert 3 < len(mistakes) == len(expected)
        assert [each.probability for each in mistakes] == sorted(found.sureness[found.predicted != part.targets])[::-1]
        read = [
            (-each.probability, each.where.rpartition(":")[2], each.text, each.target, each.predicted)
            for each in mistakes
        ]
        assert sorted(read) == sorted(expected)
        assert any(len(own) > 5 for own in tokens)

    def test_unknown_labels_are_mistakes(self, spans):
        mistakes = [*score_of(spans, given(spans, NEW)).mistakes()]
        (unknown,) = [each for each in mistakes if each.target == "(unknown)"]
        assert unknown.where.endswith("given.conll:3")
        assert unknown.text == "Zoe saw [Ann]"

    def test_of_several_labels_all_are_named(self, folder):
        run = start(tagged_task({"train": "a.conll", "multi_label": True}), folder, "sets", **{"a.conll": SETS})
        run.trainer.flat.values[:] = 0
        run.model.output.bias.value[:] = [2, 1, -1]  # a and b, always
        part = given(run, "x a|b\ny b|c\nz _\nu q|b|a\n\n")
        report = score_of(run, part).report
        assert (report.steps.accuracy, report.steps.unknown, report.sequence_accuracy) == (0.25, 1, 0)
        mistakes = [*score_of(run, part).mistakes()]
        assert [(each.where[-1], each.target, each.predicted) for each in mistakes] == [
            ("2", "b, c", "a, b"),
            ("3", "none", "a, b"),
            ("4", "a, b, (unknown)", "a, b"),
        ]
        assert mistakes[0].probability == pytest.approx(1 / (1 + np.exp(-1)))  # of the label it is least sure of
        assert mistakes[0].text == "x [y] z u"
        run.model.output.bias.value[:] = -1
        assert next(score_of(run, part).mistakes()).predicted == "none"

    def test_of_frames_have_no_text(self, several):
        mistakes = [*score_of(several, several.dataset.splits.train).mistakes()]
        assert mistakes
        assert {each.text for each in mistakes} == {""}
        assert all(each.where.rpartition(":")[0].endswith("several.csv") for each in mistakes)


SETS = "x a|b\ny b|c\n\nz c\ny a\n\n" * 10
