"""`rnncli train`."""

from contextlib import closing, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rnncli.cli.options import (
    Assignments,
    Encoding,
    Epochs,
    Json,
    NoColor,
    Quiet,
    RandomSeed,
    Runs,
    Steps,
    Threads,
    Workers,
    refuse_threads,
)
from rnncli.cli.run_request import FLAGS, changes_of, occupied, read_document, run_name

if TYPE_CHECKING:
    from rnncli.cli.console import Talk
    from rnncli.cli.interruption import Interruption
    from rnncli.experiments import Run

RUN_FILES = ("best.npz", "last.npz", "spec.yaml", "metrics.jsonl", "corpus.txt")
"""What a run writes to its folder, and never over what is there."""


def train(
    corpus: Annotated[
        list[str] | None,
        typer.Argument(metavar="CORPUS", help="Text, or labelled data: files, folders, globs, or - for stdin."),
    ] = None,
    spec: Annotated[Path | None, typer.Option("--spec", "-s", metavar="FILE", help="A spec in YAML.")] = None,
    assignments: Assignments = None,
    task: Annotated[
        str | None,
        typer.Option(
            "--task", metavar="NAME", help="What to learn, such as classification or translation: rnncli init --help."
        ),
    ] = None,
    encoding: Encoding = None,
    cell: Annotated[str | None, typer.Option("--cell", metavar="NAME", help="rnn, lstm, gru, conv1d or none.")] = None,
    hidden_size: Annotated[int | None, typer.Option("--hidden-size", metavar="N", help="Units in a layer.")] = None,
    num_layers: Annotated[int | None, typer.Option("--num-layers", metavar="N", help="Stacked layers.")] = None,
    epochs: Epochs = None,
    steps: Steps = None,
    learning_rate: Annotated[
        float | None, typer.Option("--learning-rate", metavar="RATE", help="The optimizer's learning rate.")
    ] = None,
    batch_size: Annotated[int | None, typer.Option("--batch-size", metavar="N", help="Sequences in a batch.")] = None,
    random_seed: RandomSeed = None,
    max_time: Annotated[
        str | None, typer.Option("--max-time", metavar="TIME", help="Stop after this long: 90, 90s, 10m or 2h.")
    ] = None,
    threads: Threads = None,
    workers: Workers = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="DIR", help="The run's folder; by default RUNS/<corpus>.")
    ] = None,
    runs: Runs = Path("runs"),
    resume: Annotated[
        Path | None, typer.Option("--resume", metavar="RUN", help="Go on with an interrupted run, to the byte.")
    ] = None,
    init_from: Annotated[
        Path | None, typer.Option("--init-from", metavar="MODEL", help="Begin with the weights of another model.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Report sizes and time, write nothing.")] = False,
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    """Train on a text or on labelled data, or as a spec says.

    Writes best.npz, last.npz, spec.yaml and metrics.jsonl to the run's folder, and prints that folder's name. Ctrl-C
    saves and shows how to go on.

    Examples: rnncli train corpus.txt; rnncli train --spec spec.yaml --set model.cell=gru; cat *.txt | rnncli train -
    """
    import shlex
    import sys

    from rnncli import experiments
    from rnncli.cli.console import Talk
    from rnncli.cli.sequences import say_what_is_typed
    from rnncli.cli.status import reading
    from rnncli.errors import UsageError

    talk = Talk(quiet=quiet, color=False if no_color else None)
    seconds = seconds_of(max_time)
    given = {name: value for name, value in locals().items() if name in FLAGS and value is not None}
    if resume:
        if corpus or spec or init_from or output or dry_run:
            raise UsageError("--resume goes on with the run's own corpus and spec", hint="leave out the others")
        changes = changes_of(assignments or [], given)
        path = resume / "last.npz" if resume.is_dir() else resume
        with occupied(path.parent) if path.exists() else nullcontext():  # else it is for resume to say what is missing
            with reading(talk) as report:
                run = experiments.resume(path, changes, report=report)
            refuse_threads(threads, run.task.training.workers)
            if changes:
                experiments.write_spec(run)
            follow_run(run, talk, seconds, as_json=as_json)
        return
    if init_from and (any(name in given for name in ("cell", "hidden_size", "num_layers")) or dry_run):
        raise UsageError("--init-from brings its own architecture", hint="leave out --cell, the sizes and --dry-run")
    document, base = read_document(spec, corpus or [], assignments or [], given)
    checked = experiments.task_from(document)
    refuse_threads(threads, checked.training.workers)
    folder = output or experiments.new_run_folder(runs, run_name(corpus or [], spec))
    if output and not dry_run and (kept := [name for name in RUN_FILES if (output / name).exists()]):
        again = f"to go on with a run: --resume {shlex.quote(str(output))}"
        raise UsageError(f"{output} already holds {kept[0]}", hint=f"name another folder; {again}")
    if checked.data.train in ("-", ("-",)):
        say_what_is_typed(talk, "-", "a text")
    if dry_run:
        with reading(talk) as report:
            plan = experiments.plan(checked, base, folder, report=report)
        report_plan(plan, talk, as_json=as_json)
        return
    stdin = getattr(sys.stdin, "buffer", None)  # sys.stdin is None where it was closed
    with occupied(folder):
        with reading(talk) as report:
            run = experiments.start(checked, base, folder, stdin=stdin, init_from=init_from, report=report)
        experiments.write_spec(run)
        follow_run(run, talk, seconds, as_json=as_json)


def seconds_of(text: str | None) -> float | None:
    """Return 90, 90s, 1.5m or 2h in seconds; UsageError for anything else."""
    from rnncli.errors import UsageError

    if text is None:
        return None
    number, unit = (text[:-1], text[-1]) if text[-1:] in ("s", "m", "h") else (text, "s")
    try:
        seconds = float(number) * {"s": 1, "m": 60, "h": 3600}[unit]
    except ValueError:
        seconds = -1.0
    if not 0 < seconds < float("inf"):
        raise UsageError(f"--max-time must be a time such as 90s, 10m or 2h, not {text!r}")
    return seconds


def follow_run(run: "Run", talk: "Talk", seconds: float | None, *, as_json: bool) -> None:
    """Train, draw, and report the scores; an interrupted run is saved and says how to go on."""
    import json
    import shlex

    from rnncli.cli.console import write_data
    from rnncli.cli.drawings import Style
    from rnncli.cli.interruption import Interruption, die_by
    from rnncli.cli.scores import score_lines, scores_json
    from rnncli.cli.status import working
    from rnncli.experiments import score_run

    for notice in run.notices:
        talk.warn(notice)
    talk.say(run.summary())
    with Interruption() as interruption:
        finished = train_until_stopped(run, talk, interruption, seconds, as_json=as_json)
    step = run.trainer.progress.step
    if finished:
        talk.say(f"finished at step {step:,}: {finished}")
    else:
        again = f"rnncli train --resume {shlex.quote(str(run.folder))}"
        talk.say(f"stopped at step {step:,} of {run.trainer.total_steps:,}; go on with: {again}")
        if interruption.signal:
            die_by(interruption.signal)
    with working(talk, "scoring the best model on validation and test"):
        scores = score_run(run)
    for line in score_lines(scores, run.task, Style(talk.width)):
        talk.say(line)
    if as_json:
        write_data(json.dumps({"run": str(run.folder), "step": step, "scores": scores_json(scores, run.task)}) + "\n")
    else:
        write_data(f"{run.folder}\n")


def train_until_stopped(
    run: "Run", talk: "Talk", interruption: "Interruption", seconds: float | None, *, as_json: bool
) -> str:
    """Train to the end and return why it ended, or save between two steps and return "" when stopped before."""
    import json
    from time import monotonic

    from rnncli.cli.console import write_data
    from rnncli.cli.progress import follow
    from rnncli.errors import DivergedError
    from rnncli.training.events import Finished
    from rnncli.training.recording import metrics_line

    started = monotonic()
    try:
        with closing(follow(run.events(), talk, unit=run.task.unit, sample=run.sample)) as events:
            for event in events:
                if isinstance(event, Finished):
                    return event.reason
                if as_json:
                    write_data(json.dumps(metrics_line(event)) + "\n")
                if interruption.signal or (seconds is not None and monotonic() - started >= seconds):
                    break
    except OSError:  # of stdout, under --json; the run itself is sound
        run.recorder.save_last()
        raise
    except DivergedError:
        best = run.folder / "best.npz"
        talk.say(f"the best model before is {best}" if best.exists() else "no model was good enough to be kept")
        raise
    run.recorder.save_last()
    return ""


def report_plan(plan: dict[str, Any], talk: "Talk", *, as_json: bool) -> None:
    """Print what a run would be."""
    import json

    from rnncli.cli.console import write_data

    notices = plan.pop("notices")
    for notice in notices:
        talk.warn(notice)
    if as_json:
        write_data(json.dumps(plan) + "\n")
    else:
        width = max(map(len, plan))
        write_data("".join(f"{name.replace('_', ' '):{width}}  {value}\n" for name, value in plan.items()))
