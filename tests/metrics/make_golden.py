"""Write scikit-learn's scores of random and degenerate predictions for the tests to compare with.

The tests need no scikit-learn. To write the file again:

    pip install scikit-learn==1.9.1
    python tests/metrics/make_golden.py
"""

import json
import warnings
from pathlib import Path

import numpy as np
from sklearn import metrics
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import MultinomialNB

HERE = Path(__file__).parent
rng = np.random.default_rng(4)


def ids_cases():
    for name, n, K in (("random", 60, 4), ("many_labels", 80, 30), ("small", 7, 3)):
        targets = rng.integers(0, K, n)
        yield name, K, targets, np.where(rng.random(n) < 0.6, targets, rng.integers(0, K, n))
    yield "one_class", 1, np.zeros(5, int), np.zeros(5, int)
    yield "one_class_of_three", 3, np.zeros(5, int), np.zeros(5, int)
    yield "never_predicted", 3, np.array([0, 1, 2, 2, 1, 0]), np.array([0, 1, 0, 1, 1, 0])
    yield "never_occurring", 3, np.array([0, 1, 0, 1]), np.array([0, 2, 2, 1])
    yield "all_wrong", 2, np.array([0, 1, 0]), np.array([1, 0, 1])
    yield "one_example", 4, np.array([2]), np.array([2])


def of_ids(K, targets, predicted):
    each = metrics.precision_recall_fscore_support(targets, predicted, labels=range(K), zero_division=0)
    return {
        "K": K,
        "targets": targets.tolist(),
        "predicted": predicted.tolist(),
        "accuracy": metrics.accuracy_score(targets, predicted),
        "macro_f1": metrics.f1_score(targets, predicted, average="macro", zero_division=0),
        "labels": [column.tolist() for column in each],
        "confusion": metrics.confusion_matrix(targets, predicted, labels=range(K)).tolist(),
    }


def set_cases():
    for name, n, K in (("random", 40, 5), ("rare", 30, 4)):
        targets = rng.random((n, K)) < (0.4 if name == "random" else 0.05)
        yield name, targets, targets ^ (rng.random((n, K)) < 0.2)
    yield "nothing_predicted", np.array([[1, 0], [1, 1]], bool), np.zeros((2, 2), bool)
    yield "nothing_at_all", np.zeros((3, 2), bool), np.zeros((3, 2), bool)
    yield "a_label_absent", np.array([[1, 0, 0], [1, 1, 0]], bool), np.array([[1, 1, 0], [1, 0, 0]], bool)


def of_sets(targets, predicted):
    """Macro F1 of all labels and of those that occur: in label sets scikit-learn counts an absent label as 0."""
    occurring = np.flatnonzero((targets | predicted).any(axis=0))
    each = metrics.precision_recall_fscore_support(targets, predicted, average=None, zero_division=0)
    f1 = {"y_true": targets, "y_pred": predicted, "zero_division": 0}
    return {
        "targets": targets.T.tolist(),
        "predicted": predicted.T.tolist(),
        "accuracy": metrics.accuracy_score(targets, predicted),
        "macro_f1": metrics.f1_score(**f1, average="macro", labels=occurring) if occurring.size else 0.0,
        "micro_f1": metrics.f1_score(**f1, average="micro"),
        "hamming_loss": metrics.hamming_loss(targets, predicted),
        "labels": [column.tolist() for column in each],
    }


def regression_cases():
    targets = rng.normal(3, 2, (25, 3))
    yield "random", targets, targets + rng.normal(0, 1, targets.shape)
    yield "worse_than_the_mean", np.array([[1.0], [2.0], [4.0]]), np.array([[4.0], [2.0], [-1.0]])
    yield "constant_and_right", np.full((3, 1), 2.0), np.full((3, 1), 2.0)
    yield "constant_and_wrong", np.full((3, 1), 2.0), np.array([[2.0], [2.5], [2.0]])


def of_regression(targets, predicted):
    each = {"y_true": targets, "y_pred": predicted, "multioutput": "raw_values"}
    scores = (
        metrics.mean_absolute_error,
        metrics.mean_squared_error,
        metrics.root_mean_squared_error,
        metrics.r2_score,
    )
    return {
        "targets": targets.T.tolist(),
        "predicted": predicted.T.tolist(),
        "outputs": [score(**each).tolist() for score in scores],
        "mae": metrics.mean_absolute_error(targets, predicted),
        "mse": metrics.mean_squared_error(targets, predicted),
        "r2": metrics.r2_score(targets, predicted),
    }


def naive_bayes_case():
    """Texts whose words lean to their labels."""
    V, K, n = 40, 4, 60
    leaning = rng.dirichlet(np.full(V, 0.3), K)
    labels = rng.integers(0, K, n)
    texts = [[f"w{word}" for word in rng.choice(V, rng.integers(0, 9), p=leaning[label])] for label in labels]
    sets = (rng.random((n, K)) < 0.3) | (np.arange(K) == labels[:, None])
    train = slice(0, 40)
    counts = CountVectorizer(analyzer=lambda words: words).fit(texts[train])
    x, x_test = counts.transform(texts[train]), counts.transform(texts[40:])
    log_joint = MultinomialNB().fit(x, labels[train]).predict_joint_log_proba(x_test)
    odds = [
        np.diff(MultinomialNB().fit(x, sets[train, k]).predict_joint_log_proba(x_test), axis=1)[:, 0] for k in range(K)
    ]
    predicted_sets = OneVsRestClassifier(MultinomialNB()).fit(x, sets[train]).predict(x_test)
    return {
        "texts": texts,
        "labels": labels.tolist(),
        "sets": sets.T.tolist(),
        "log_joint": log_joint.T.tolist(),
        "odds": np.array(odds).tolist(),
        "predicted_sets": predicted_sets.T.tolist(),
    }


warnings.simplefilter("ignore")
golden = {
    "ids": {name: of_ids(*case) for name, *case in ids_cases()},
    "sets": {name: of_sets(*case) for name, *case in set_cases()},
    "regression": {name: of_regression(*case) for name, *case in regression_cases()},
    "naive_bayes": naive_bayes_case(),
}
(HERE / "scikit_learn.json").write_text(json.dumps(golden) + "\n", "utf-8")
