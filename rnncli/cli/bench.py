"""`rnncli bench`."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from rnncli.cli.options import Json, NoColor, Quiet, Threads, Workers, refuse_threads

if TYPE_CHECKING:
    from collections.abc import Callable

    from rnncli.benchmarks import Comparison, Result, Workload
    from rnncli.cli.console import Talk


def bench(
    works: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="WORK",
            help="a to f train, g to i generate, k to m classify, n and o tag, j as naive loops; default: all but j.",
        ),
    ] = None,
    against: Annotated[
        str | None,
        typer.Option("--against", metavar="PEER", help="torch (PyTorch) or naive (a plain loop) does the same work."),
    ] = None,
    torch_python: Annotated[
        str | None,
        typer.Option("--torch-python", metavar="PATH", help="The Python that has PyTorch, if this one has not."),
    ] = None,
    repeats: Annotated[
        int, typer.Option("--repeats", metavar="N", min=1, help="Rounds, of which the median counts.")
    ] = 7,
    seconds: Annotated[
        float, typer.Option("--seconds", metavar="X", help="What each side takes in a round, about.")
    ] = 1.0,
    workers: Workers = None,
    threads: Threads = None,
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    """Measure the speed of this machine.

    Tokens a second of standard configurations on random tokens (of characters but in d and k to o), the share of what
    large matrix products reach, and the peak memory of the process. k to m train classifiers, n tags and o trains a
    tagger, on sequences of 3 to 60 words, whose padding counts for nothing. With --against, the ratio of our speed to
    the peer's and of our memory to its: both sides in turn, PyTorch in its fastest setting (sequences packed, and where
    that is right also padded).

    Examples: rnncli bench a g; rnncli bench --against torch --torch-python ~/torch/bin/python; rnncli bench --json
    """
    import json
    import os
    import sys

    from rnncli.benchmarks import PEERS, WORKLOADS, measure
    from rnncli.cli.console import Talk, write_data
    from rnncli.errors import UsageError

    talk = Talk(quiet=quiet, color=False if no_color else None)
    for name in works or ():
        if name not in WORKLOADS:
            raise UsageError(f"WORK must be one of {', '.join(WORKLOADS)}, not {name!r}")
    if against is not None and against not in PEERS:
        raise UsageError(f"--against must be one of {', '.join(PEERS)}, not {against!r}")
    if torch_python and against != "torch":
        raise UsageError("--torch-python is for --against torch")
    if workers is not None and workers < 1:
        raise UsageError(f"--workers must be at least 1, not {workers}")
    workers = workers or 1
    refuse_threads(threads, workers)
    if not 0 < seconds < 1000:
        raise UsageError(f"--seconds must be above 0 and below 1000, not {seconds:g}")
    usual = ["j"] if against == "naive" else [name for name in WORKLOADS if name != "j"]
    measured: dict[str, Comparison] = {}
    for name in works or usual:
        measured[name] = measure(
            shared_out(WORKLOADS[name], workers, talk, name),
            against=against,
            python=torch_python or sys.executable,
            repeats=repeats,
            seconds=seconds,
            report=reporter(talk, name),
        )
    talk.progress("")
    if as_json:
        results = {name: plain(comparison) for name, comparison in measured.items()}
        write_data(json.dumps({"blas_threads": os.environ["OPENBLAS_NUM_THREADS"], "results": results}) + "\n")
    else:
        write_data("".join(line + "\n" for line in speed_table(measured)))


def shared_out(work: "Workload", workers: int, talk: "Talk", name: str) -> "Workload":
    """Return a training workload with as many of these workers as are of use, and say where they are fewer."""
    from dataclasses import replace

    from rnncli.training.workers import workers_for

    if not work.trains:
        return work
    useful, notices = workers_for(workers, work.batch_size)
    for notice in notices:
        talk.warn(f"{name}: {notice}")
    return replace(work, workers=useful)


def reporter(talk: "Talk", name: str) -> "Callable[[str], None]":
    """Return what shows how far a workload is."""
    return lambda text: talk.progress(f"{name}: {text}")


def speed_table(measured: "dict[str, Comparison]") -> list[str]:
    """Return a table with a row for each workload, or for each peer of it."""
    from rnncli.cli.console import table

    headers = ["work", "configuration", "tokens/s", "of GEMM", "peak MB"]
    if any(comparison.peers for comparison in measured.values()):
        headers += ["against", "tokens/s", "ours/its", "peak MB", "ours/its"]
    rows: list[list[str | None]] = []
    for name, comparison in measured.items():
        work, own = comparison.work, comparison.ours
        share = f"{comparison.share:.0%}" if work.trains else None
        row = [name, work.title, f"{own.tokens_per_second:,.0f}", share, megabytes(own)]
        rows += [
            [*(row if number == 0 else [None] * len(row)), *beside(own, peer)]
            for number, peer in enumerate(comparison.peers)
        ] or [row]
    return table(headers, rows)


def beside(own: "Result", peer: "Result") -> list[str | None]:
    """Return the columns of a peer."""
    title = " ".join(filter(None, (peer.name, peer.version, peer.setting)))
    memory = f"{own.peak_memory / peer.peak_memory:.2f}" if own.peak_memory and peer.peak_memory else None
    return [title, f"{peer.tokens_per_second:,.0f}", f"{peer.ratio:.2f}", megabytes(peer), memory]


def megabytes(result: "Result") -> str | None:
    """Return the peak memory of a side."""
    return None if result.peak_memory is None else f"{result.peak_memory / 1e6:,.0f}"


def plain(comparison: "Comparison") -> dict[str, Any]:
    """Return all of it, JSON-able."""
    from dataclasses import asdict

    work, speed = comparison.work, comparison.ours.tokens_per_second
    return {
        "title": work.title,
        "configuration": asdict(work),
        "characters_per_second": speed if work.unit == "character" else None,
        "flops": comparison.flops,
        "gemm_flops": comparison.gemm,
        "share": comparison.share,
        **asdict(comparison.ours),
        "peers": [asdict(peer) for peer in comparison.peers],
    }
