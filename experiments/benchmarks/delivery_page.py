"""experiments/results/delivery.md, made of what the delivery benchmark kept."""

from __future__ import annotations

from typing import Any

BUDGET_MS = 50.0


def latency_lines(found: dict[str, Any]) -> list[str]:
    """Return a table a model and number of threads, and where each holds the budget."""
    lines = ["## Latency", "", "Milliseconds from text to answer at batch 1: median (p99).", ""]
    for model, by_threads in found.items():
        for threads, cells in by_threads.items():
            engines = list(dict.fromkeys(each["engine"] for each in cells))
            lines += [f"### {model}, {threads} thread{'s' * (threads != '1')}", ""]
            lines += [
                "| tokens | " + " | ".join(engines) + " | fp32 over best int8 |",
                "|---" * (len(engines) + 2) + "|",
            ]
            holds: dict[str, list[int]] = {}
            for length in dict.fromkeys(each["length"] for each in cells):
                row = {each["engine"]: each for each in cells if each["length"] == length}
                shown = [f"{row[name]['p50']:.1f} ({row[name]['p99']:.1f})" for name in engines]
                int8 = min(row[name]["p50"] for name in engines if "int8" in name)
                lines.append(f"| {length} | {' | '.join(shown)} | {row['torch fp32']['p50'] / int8:.2f} |")
                for name in engines:
                    if row[name]["p99"] < BUDGET_MS:
                        holds.setdefault(name, []).append(length)
            answers = sorted(each["answers"] for each in cells)
            held = "; ".join(f"{name} up to {max(lengths)}" for name, lengths in holds.items())
            lines += ["", f"p99 under {BUDGET_MS:g} ms: {held or 'none'}. Each cell is of "
                          f"{answers[0]} to {answers[-1]} answers.", ""]  # fmt: skip
    return lines


def accuracy_lines(found: dict[str, Any]) -> list[str]:
    """Return a row a data set."""
    engines = list(next(iter(found.values()))["scores"])
    lines = ["## Accuracy", "", "Whole test sets; torch as the run was scored.", ""]
    lines += [
        "| data | metric | documents | " + " | ".join(engines) + " |",
        "|---" * (len(engines) + 3) + "|",
    ]
    for name, each in found.items():
        cells = " | ".join(f"{100 * each['scores'][engine]:.2f}" for engine in engines)
        lines.append(f"| {name} | {each['metric']} | {each['documents']} | {cells} |")
    return [*lines, ""]


def cold_lines(found: dict[str, Any]) -> list[str]:
    """Return a row a way to start."""
    slowest = found["transformers with torch"]["seconds"]
    lines = ["## Cold start", "", "A new process until its first answer; medians.", ""]
    lines += ["| | seconds | times sooner | peak MiB | torch imported |", "|---|---|---|---|---|"]
    for name, each in found.items():
        imported = "yes" if each["torch_imported"] else "no"
        lines.append(
            f"| {name} | {each['seconds']:.2f} | {slowest / each['seconds']:.1f} | {each['peak_mib']} | "
            f"{imported} |"
        )
    return [*lines, ""]


SERVERS = {
    "plain": "one request at a time over HTTP",
    "serve": "headway serve",
    "two workers": "headway serve --workers 2",
    "one text at a time": "headway serve --workers 2 --max-batch 1",
    "fp32": "headway serve --workers 2, fp32",
}


def serving_lines(found: dict[str, Any]) -> list[str]:
    """Return a row a way to serve and number of clients, and what a stop under load did."""
    lines = [
        "## Serving",
        "",
        f"{found['texts']} short texts in turn, {found['seconds']:g} seconds each; int8 where not said. "
        "Wrong: a probability is 0.1 or more from that of the text asked alone. int8's scales go by the "
        "batch, and so do its answers a little; fp32's don't, where an answer to another's text would show.",
        "",
    ]
    lines += ["| | clients | requests/s | p50 ms | p99 ms | wrong | lost |", "|---|---|---|---|---|---|---|"]
    loop = found["loop"]
    lines.append(f"| loop, no HTTP | 1 | {loop['per_second']} | {loop['p50']} | {loop['p99']} | | |")
    for name, called in SERVERS.items():
        lines += [
            f"| {called} | {each['clients']} | {each['per_second']} | {each['p50']} | {each['p99']} | "
            f"{each['wrong']} | {each['lost']} |"
            for each in found[name]
        ]
    stop = found["stop"]
    lines += [
        "",
        f"SIGTERM under {stop['clients']} clients (2 workers): {stop['sent']} sent, "
        f"{stop['answered']} answered, "
        f"{stop['turned_away']} turned away with 503, {stop['wrong']} wrong, {stop['lost']} lost; "
        f"exit status {stop['status']}.",
    ]
    return [*lines, ""]


def million_lines(found: dict[str, Any]) -> list[str]:
    """Return a row a number of rows and of workers."""
    lines = ["## Many rows", "", "`headway predict` on short texts, start and reading included.", ""]
    lines += ["| rows | workers | seconds | examples/s | peak MiB |", "|---|---|---|---|---|"]
    for key, each in found.items():
        rows, workers = key.split("/")
        lines.append(
            f"| {int(rows):,} | {workers} | {each['seconds']:.1f} | {each['per_second']:.0f} | "
            f"{each['peak_mib']} |"
        )
    return [*lines, ""]


SECTIONS = {
    "latency": latency_lines,
    "accuracy": accuracy_lines,
    "cold_start": cold_lines,
    "serving": serving_lines,
    "million": million_lines,
}


def page(kept: dict[str, Any]) -> str:
    """Return delivery.md."""
    lines = ["# Delivery", "", "Written by `python experiments/benchmarks/delivery.py`.", ""]
    for name, section in SECTIONS.items():
        lines += section(kept[name]) if name in kept else []
    absent = [name for name in SECTIONS if name not in kept]
    return "\n".join([*lines, *([f"Not measured yet: {', '.join(absent)}.", ""] if absent else [])])
