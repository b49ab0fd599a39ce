"""The Python API: train, resume, load, evaluate, check gradients. It prints nothing and draws nothing."""

from rnncli.experiments.closed_loop import close_loop_on_files, close_loop_on_splits
from rnncli.experiments.gradients import check_gradients, gradient_cases
from rnncli.experiments.runs import MAY_CHANGE, Run, new_run_folder, plan, resume, start, task_from, write_spec
from rnncli.experiments.scores import evaluate_files, evaluate_splits, score_run, score_splits
from rnncli.experiments.stored import LoadedModel, find, load

__all__ = [
    "MAY_CHANGE",
    "LoadedModel",
    "Run",
    "check_gradients",
    "close_loop_on_files",
    "close_loop_on_splits",
    "evaluate_files",
    "evaluate_splits",
    "find",
    "gradient_cases",
    "load",
    "new_run_folder",
    "plan",
    "resume",
    "score_run",
    "score_splits",
    "start",
    "task_from",
    "write_spec",
]
