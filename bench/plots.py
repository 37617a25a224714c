"""The plots of bench/README.md, as SVG. Needs matplotlib."""

import matplotlib
import matplotlib.pyplot as plt

import report
import targets

matplotlib.use("svg")
# The same figures give the same file.
matplotlib.rcParams.update({
    "svg.hashsalt": "hotplate", "svg.fonttype": "none", "font.size": 10,
    "axes.grid": True, "axes.axisbelow": True, "grid.color": "#dddddd",
    "legend.frameon": False,
    "axes.spines.top": False, "axes.spines.right": False})

OURS, OTHERS = "#d1495b", "#8d99ae"
SHARES = {"p01": 0.01, "p10": 0.1, "p25": 0.25, "p50": 0.5, "p75": 0.75,
          "p90": 0.9, "p99": 0.99, "p999": 0.999}
COUNTS = (1, 1_000, 10_000, 100_000)


def save(figure, path):
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def draw_latency(figures, path):
    """Cold against warm: what share of all calls took at most so long."""
    figure, axes = plt.subplots(figsize=(7, 3.6))
    for kind, colour in (("warm", OTHERS), ("cold", OURS)):
        for caller, style in (("nested", "-"), ("from_thread", "--")):
            found = figures.get(f"latency/typed_{caller}/{kind}")
            if found is None:
                continue
            axes.plot([found[each] for each in SHARES], SHARES.values(), style,
                      color=colour, marker=".",
                      label=f"{kind}, {caller.replace('_', ' ')}")
    axes.set(xscale="log", xlabel="ns a call", ylabel="share of calls",
             title="Cold and warm calls")
    axes.legend()
    save(figure, path)


def draw_growth(figures, path):
    figure, axes = plt.subplots(figsize=(7, 3.6))
    for name, label in (("functions/hot", "functions, one is called"),
                        ("functions/uniform", "functions, all are called"),
                        ("instances/live", "live instances"),
                        ("invocations/parked", "parked invocations")):
        known = [count for count in COUNTS if f"{name}/{count}" in figures]
        axes.plot(known, [figures[f"{name}/{count}"]["ns"] for count in known],
                  marker="o", label=label)
    axes.set(xscale="log", xlabel="so many of them", ylabel="ns a call",
             title="A warm call among many others")
    axes.set_ylim(bottom=0)
    axes.legend()
    save(figure, path)


def draw_peers(figures, path):
    workloads = [each for each in report.PEERS
                 if report.peers_of(figures, each)]
    if not workloads:
        return
    figure, all_axes = plt.subplots(len(workloads), squeeze=False,
                                    figsize=(7, 3.2 * len(workloads)))
    for axes, workload in zip(all_axes[:, 0], workloads):
        peers = report.peers_of(figures, workload)[::-1]
        bars = axes.barh(
            [name for name, _ in peers], [value for _, value in peers],
            color=[OURS if name.startswith("hotplate") else OTHERS
                   for name, _ in peers])
        axes.bar_label(bars, [f" {targets.shown(ns)}" for _, ns in peers])
        # From 1 ns on: bars have no other beginning on such an axis.
        axes.set(xscale="log", xlim=(1, 5 * peers[0][1]), xlabel="ns",
                 title=report.title_of(workload))
    save(figure, path)


def draw_all(figures, folder):
    folder.mkdir(exist_ok=True)
    draw_latency(figures, folder / "latency.svg")
    draw_growth(figures, folder / "growth.svg")
    draw_peers(figures, folder / "peers.svg")
