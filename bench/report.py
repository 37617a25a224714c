#!/usr/bin/python3
# Debian's own Python, which has the matplotlib of python3-matplotlib.
"""Turns the figures of bench/run.sh into bench/README.md's tables and plots.

Tables stand between two comments `<!-- NAME -->` and `<!-- /NAME -->`; plots
are SVG files beside the page, in plots/. A benchmark that was not run, as of a
library that is not installed, has no line.
"""

import argparse
import json
import pathlib
import re
import sys

import results
import targets

HERE = pathlib.Path(__file__).resolve().parent
THREADS = ("/threads:1", "/threads:2")


def row(cells):
    return "| " + " | ".join(cells) + " |"


def markdown(head, lines, words=1):
    """A table: columns of words first, to the left, then those of numbers."""
    rule = "|" + "---|" * words + "--:|" * (len(head) - words)
    return "\n".join([row(head), rule, *(row(line) for line in lines)])


def number(figures, name, what="ns"):
    value = figures.get(name, {}).get(what)
    return "" if value is None else targets.shown(value)


def with_prefix(figures, prefix):
    """What follows the prefix, of each name that has it; the cheapest first."""
    names = sorted((name for name in figures if name.startswith(prefix)),
                   key=lambda name: figures[name]["ns"])
    return [name[len(prefix):] for name in names]


def machine_table(document):
    return markdown(("machine", ""), [(what, str(value)) for what, value
                                      in document["machine"].items()])


def targets_table(document):
    return markdown(
        ("#", "what", "figure", "target", "unit", "verdict"),
        [(str(each["row"]), each["what"], targets.shown(each["figure"]),
          targets.shown(each["target"]), each["unit"], each["verdict"])
         for each in targets.judge(document["figures"])], words=2)


def floors_table(document):
    figures = document["figures"]
    return markdown(("floor", "ns"),
                    [(name.replace("_", " "), number(figures, "floor/" + name))
                     for name in with_prefix(figures, "floor/")])


def calls_table(document):
    figures = document["figures"]
    return markdown(("a warm call", "ns"),
                    [(name.replace("_", " "), number(figures, "call/" + name))
                     for name in with_prefix(figures, "call/")])


def starts_table(document):
    figures = document["figures"]
    quantiles = ("p50", "p90", "p99", "p999", "max")
    names = sorted(name for name in figures
                   if name.startswith(("start/", "latency/", "snapshot/")))
    return markdown(("ns a call", *quantiles),
                    [(name, *(number(figures, name, each)
                              for each in quantiles)) for name in names])


def lifecycle_table(document):
    figures = document["figures"]
    names = [name for name in with_prefix(figures, "lifecycle/")
             if name.endswith(THREADS[0])]
    kinds = [name[:-len(THREADS[0])] for name in names]
    return markdown(("ns a call", "1 thread", "2 threads"),
                    [(kind, *(number(figures, f"lifecycle/{kind}{each}")
                              for each in THREADS)) for kind in kinds])


def growth_table(document):
    figures = document["figures"]
    counts = ("1", "1000", "10000", "100000")
    kinds = ("functions/hot", "functions/uniform", "instances/live",
             "invocations/parked")
    return markdown(("ns a call, among", "1", "1,000", "10,000", "100,000"),
                    [(kind, *(number(figures, f"{kind}/{count}")
                              for count in counts)) for kind in kinds])


PEERS = {"submit": "ns", "fan_out": "ns", "round_trip": "p50", "tail": "p999"}


def title_of(workload):
    what = PEERS[workload]
    return workload.replace("_", " ") + ("" if what == "ns" else f", {what}")


def peers_of(figures, workload):
    """[(runtime and variant, ns)] of a workload of bench/compare, the best
    first."""
    prefix = workload + "/"
    return sorted(((name, figures[prefix + name][PEERS[workload]])
                   for name in with_prefix(figures, prefix)),
                  key=lambda peer: peer[1])


def peers_table(document):
    figures = document["figures"]
    lines = [(title_of(workload), name, targets.shown(value),
              number(figures, f"{workload}/{name}", "p99"))
             for workload in PEERS
             for name, value in peers_of(figures, workload)]
    return markdown(("workload", "runtime", "ns", "p99"), lines, words=2)


TABLES = {"machine": machine_table, "targets": targets_table,
          "floors": floors_table, "calls": calls_table, "starts": starts_table,
          "lifecycle": lifecycle_table, "growth": growth_table,
          "peers": peers_table}


def fill(page, document):
    """The page with its tables replaced. Errors: Failed, naming a table whose
    two comments are not there."""
    for name, make in TABLES.items():
        place = re.compile(f"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.S)
        if not place.search(page):
            raise results.Failed(f"README.md lacks <!-- {name} --> and "
                                 f"<!-- /{name} -->")
        table = make(document)
        page = place.sub(lambda at: f"{at[1]}{table}\n{at[2]}", page)
    return page


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("figures", nargs="?", type=pathlib.Path,
                        default=HERE.parent / "build" / "bench.json",
                        help="what bench/run.sh wrote (build/bench.json)")
    options = parser.parse_args()
    page = HERE / "README.md"
    try:
        import plots  # pylint: disable=import-outside-toplevel
        document = json.loads(options.figures.read_text(encoding="utf-8"))
        page.write_text(fill(page.read_text(encoding="utf-8"), document),
                        encoding="utf-8")
    except (ImportError, OSError, ValueError, results.Failed) as failed:
        print(f"bench/report.py: {failed}", file=sys.stderr)
        return 1
    plots.draw_all(document["figures"], HERE / "plots")
    return 0


if __name__ == "__main__":
    sys.exit(main())
