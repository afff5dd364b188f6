"""The report: medians over the rounds, and ratios, in Markdown."""

import statistics

from . import tools, workloads

REFERENCES = {"haproxy": "to HAProxy", "floor": "to the floor"}


def row(cells):
    return "| " + " | ".join(cells) + " |"


def table(header, rows):
    return "\n".join([row(header), row(["---"] + ["---:"] * (len(header) - 1)), *map(row, rows)])


def succeeded(outcome):
    return not isinstance(outcome, tools.Failure)


def ratio(outcomes, reference):
    """The median of the ratios within a round: what slows the whole machine for a while slows both."""
    ratios = [
        mine[0] / other[0]
        for mine, other in zip(outcomes, reference)
        if succeeded(mine) and succeeded(other) and other[0] > 0
    ]
    return f"{statistics.median(ratios):.2f}" if ratios else "–"


def workload_table(workload, outcomes):
    references = [name for name in REFERENCES if name in outcomes]
    header = ["proxy", workload.cost.title, *(REFERENCES[name] for name in references)]
    header += [figure.title for figure in workload.others]
    rows = []
    for name, mine in outcomes.items():
        measured = [outcome for outcome in mine if succeeded(outcome)]
        if not measured:
            rows.append([name] + ["–"] * (len(header) - 1))
            continue
        medians = [figure.show(statistics.median(values)) for figure, values in zip(workload.figures(), zip(*measured))]
        ratios = [ratio(mine, outcomes[reference]) for reference in references]
        rows.append([name, medians[0], *ratios, *medians[1:]])
    return table(header, rows)


def failures(outcomes):
    return [
        f"- {name}, round {number}: {outcome}"
        for name, mine in outcomes.items()
        for number, outcome in enumerate(mine, start=1)
        if not succeeded(outcome)
    ]


def report(machine, arguments, chosen, all_outcomes):
    parts = [
        "# TLS passthrough proxies compared",
        "\n".join([
            *(f"- {name}: {value}" for name, value in machine),
            *(f"- {proxy.name}: {proxy.version()}" for proxy in chosen),
            f"- {arguments.rounds} rounds, {arguments.seconds:g} s per timed workload; medians; "
            "ratios are medians of the ratios within a round",
        ]),
    ]
    for name, outcomes in all_outcomes.items():
        workload = workloads.ALL[name](arguments.seconds)
        parts += [f"## {workload.title}", workload.explanation, workload_table(workload, outcomes)]
        failed = failures(outcomes)
        if failed:
            parts += ["Not measured:", "\n".join(failed)]
    return "\n\n".join(parts)
