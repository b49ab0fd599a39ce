"""`rnncli compare`."""

from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rnncli.cli.options import Assignments, Epochs, Json, NoColor, Quiet, Runs, Steps, Threads, refuse_threads
from rnncli.cli.run_request import occupied, read_document, run_name

if TYPE_CHECKING:
    from rnncli.cli.console import Talk
    from rnncli.cli.drawings import Style
    from rnncli.cli.interruption import Interruption
    from rnncli.experiments import Run
    from rnncli.experiments.cell_comparison import Candidate, Comparison, Training
    from rnncli.tasks import Report, Task


def compare(
    spec: Annotated[Path, typer.Argument(metavar="SPEC", help="A spec in YAML, of any task.")],
    cells: Annotated[
        str | None,
        typer.Option(
            "--cells",
            metavar="LIST",
            help="Cells, and controls without recurrence: conv1d, mlp. By default all that the model may have.",
        ),
    ] = None,
    random_seeds: Annotated[
        str | None,
        typer.Option("--random-seeds", metavar="LIST", help="Train with each, as in 1,2,3; by default the spec's own."),
    ] = None,
    assignments: Assignments = None,
    epochs: Epochs = None,
    steps: Steps = None,
    threads: Threads = None,
    runs: Runs = Path("runs"),
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    """Train one spec with several cells, and compare.

    All else is equal: data, random seed, batches, sizes of layers. The table has the parameters, the CPU time of the
    training alone, and the scores of each best model on the test split (without one, the validation split) beside
    naive baselines; of several random seeds the medians, and from where to where they spread. The runs are kept, as
    RUNS/SPEC-CELL. After Ctrl-C the table has what was finished.

    Examples: rnncli compare spec.yaml; rnncli compare spec.yaml --cells rnn,lstm --random-seeds 1,2,3 --json
    """
    from rnncli import experiments
    from rnncli.cli.console import Talk
    from rnncli.cli.drawings import Style
    from rnncli.cli.interruption import Interruption, die_by
    from rnncli.errors import DivergedError
    from rnncli.experiments.cell_comparison import Comparison, candidates

    talk = Talk(quiet=quiet, color=False if no_color else None)
    given = {name: value for name, value in (("epochs", epochs), ("steps", steps)) if value is not None}
    seeds = seeds_of(random_seeds)
    document, base = read_document(spec, [], assignments or [], given)
    compared = candidates(document, None if cells is None else [cell.strip() for cell in cells.split(",")])
    task = compared[0].task
    refuse_threads(threads, task.training.workers)
    refuse_pipes(task, base)
    for candidate in compared:
        if candidate.notice:
            talk.warn(candidate.notice)
    found = Comparison(seeds or [task.training.random_seed], [candidate.cell for candidate in compared])
    with Interruption() as interruption:
        trainings = Trainings(found, base, talk, interruption)
        try:
            for seed in found.random_seeds:
                for candidate in compared:
                    name = f"{run_name([], spec)}-{candidate.cell}" + (f"-seed{seed}" if len(seeds) > 1 else "")
                    trainings.add(candidate.with_seed(seed), experiments.new_run_folder(runs, name))
        except StoppedError:
            talk.say(f"{len(found.outcomes)} of {found.total} trainings were finished")
        finally:
            if found.outcomes:
                show(spec, found, Style.of_stdout(talk), as_json=as_json)
    if interruption.signal:
        die_by(interruption.signal)
    if lost := [f"{each.cell} with random seed {each.random_seed}" for each in found.outcomes if each.diverged]:
        hint = "try a smaller training.optimizer.learning_rate or training.max_norm with --set"
        raise DivergedError(f"{len(lost)} of {found.total} trainings diverged: {', '.join(lost)}", hint=hint)


class StoppedError(Exception):
    """A signal has come, and what was begun is given up."""


def seeds_of(text: str | None) -> list[int]:
    """Return the random seeds of a list such as 1,2,3; UsageError for any other text."""
    from rnncli.errors import UsageError

    if text is None:
        return []
    words = [word.strip() for word in text.split(",")]
    if not all(word.isascii() and word.isdigit() and len(word) < 19 for word in words):
        raise UsageError(f"--random-seeds must be whole numbers from 0 on, such as 1,2,3, not {text[:40]!r}")
    seeds = [int(word) for word in words]
    if len(set(seeds)) < len(seeds):
        raise UsageError(f"--random-seeds must differ from each other, which {text[:40]} do not")
    return seeds


def refuse_pipes(task: "Task", base: Path) -> None:
    """Raise UsageError for data that can be read but once."""
    from rnncli.errors import UsageError
    from rnncli.tasks.paths import as_paths

    for path in as_paths(task.data.train):
        if path == "-" or (base / path).is_fifo():
            raise UsageError("each cell reads the data anew, which a pipe cannot give", hint="put them in a file")


@dataclass
class Trainings:
    """Adds to what was `found`, one training after the other; they end with StoppedError when a signal comes."""

    found: "Comparison"
    base: Path
    talk: "Talk"
    interruption: "Interruption"
    said: set[str] = field(default_factory=set)

    def add(self, candidate: "Candidate", folder: Path) -> None:
        """Train a candidate in a new folder, and score it; one that diverges has no scores."""
        from rnncli import experiments
        from rnncli.cli.comparison_table import summary
        from rnncli.cli.status import reading
        from rnncli.errors import DivergedError
        from rnncli.experiments.cell_comparison import Training, compared_split, outcome

        found, talk = self.found, self.talk
        if self.interruption.signal:
            raise StoppedError
        with occupied(folder):
            with reading(talk) as report:
                run = experiments.start(candidate.task, self.base, folder, report=self.heeding(report))
            found.split = compared_split(run)
            experiments.write_spec(run)
            for notice in [notice for notice in run.notices if notice not in self.said]:
                talk.warn(notice)
            self.said.update(run.notices)
            talk.say(f"{len(found.outcomes) + 1} of {found.total}: {run.summary()}")
            training = Training(run)
            try:
                self.train(training)
                scores, diverged = self.score(run), ""
            except DivergedError as error:
                scores, diverged = {}, error.message
        found.outcomes.append(outcome(candidate, training, scores, diverged))
        talk.say(summary(found.outcomes[-1]))

    def heeding(self, report: "Report") -> "Report":
        """Return a report that ends the reading when a signal has come."""

        def reported(activity: str, done: int, total: int) -> None:
            if self.interruption.signal:
                raise StoppedError
            report(activity, done, total)

        return reported

    def train(self, training: "Training") -> None:
        """Train to the end, or save between two steps and say how to go on."""
        import shlex

        from rnncli.cli.progress import follow
        from rnncli.training.events import Finished

        run = training.run
        with closing(follow(training.events(), self.talk, unit=run.task.unit, sample=run.sample)) as events:
            for event in events:
                if self.interruption.signal and not isinstance(event, Finished):
                    break
            else:
                return
        run.recorder.save_last()
        again = f"rnncli train --resume {shlex.quote(str(run.folder))}"
        step = run.trainer.progress.step
        self.talk.say(f"stopped at step {step:,} of {run.trainer.total_steps:,}; go on with: {again}")
        raise StoppedError

    def score(self, run: "Run") -> dict[str, float]:
        """Return the scores of a run's best model, and keep those of the baselines."""
        from rnncli.cli.scores import view_of
        from rnncli.experiments.cell_comparison import score_best

        means = view_of(run.task).means(score_best(run, self.found.split), run.task.unit)
        own = means.pop("this model")
        self.found.baselines[run.task.training.random_seed] = means
        return own


def show(spec: Path, found: "Comparison", style: "Style", *, as_json: bool) -> None:
    """Write what was found to stdout."""
    import json

    from rnncli.cli.comparison_table import plain, tables
    from rnncli.cli.console import write_data

    if as_json:
        write_data(json.dumps({"spec": str(spec), **plain(found)}) + "\n")
    else:
        write_data("".join(line + "\n" for line in tables(found, style)), escape=False)
