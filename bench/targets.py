"""What hotplate is to be as fast as: the rows of the table in README.md.

A check has a figure and a target, both from figures of the same run: of floors
and rivals where it says so. Which misses its target is `short`.
"""

import dataclasses

import results

INSTRUCTIONS = "instructions/typed_nested"
KIB = 1 << 10
MIB = 1 << 20
CALL = "call/typed_nested"
THOUSANDS = (1, 1_000, 10_000, 100_000)


def fixed(target):
    return lambda of: target


def ns(name, what="ns"):
    return lambda of: of(name, what)


def times(factor, name, what="ns"):
    return lambda of: factor * of(name, what)


def more(name, beside, what="ns"):
    """How much more the one takes."""
    return lambda of: of(name, what) - of(beside, what)


def growth(name, arguments):
    """The most expensive beside the first."""
    def worst(of):
        least, *others = (of(f"{name}/{each}") for each in arguments)
        return max(others) / least
    return worst


def dearest(name, arguments):
    return lambda of: max(of(f"{name}/{each}") for each in arguments)


def floor_of_a_call(of):
    return (of("floor/two_switches") + 2 * of("floor/clock_read")
            + 4 * of("floor/atomic_add") + 20)


def parked_fiber(of):
    """What a parked invocation takes beyond what an idle instance and one
    that has not started take."""
    return (of("footprint/parked_fiber", "bytes")
            - of("footprint/waiting_invocation", "bytes")
            - of("footprint/idle_instance", "bytes"))


def each_meter(of):
    """The first meter, or each further one if that costs more."""
    first = of("meters/1") - of("meters/0")
    return max(first, (of("meters/8") - of("meters/1")) / 7)


def copied(of):
    return of(f"event/view/{6 * MIB}") - of("event/view/0")


def some_misses(of):
    return of("functions/hot/1") + 6 * of("floor/cache_miss")


def speedup(name):
    """What a second thread makes of it, in shares of what it should: both are
    ns over all threads."""
    def share(of):
        threads = [f"{each}/threads:{count}" for each in (name, "scaling/direct")
                   for count in (1, 2)]
        ours_1, ours_2, counter_1, counter_2 = (of(each) for each in threads)
        return (ours_1 / ours_2) / (counter_1 / counter_2)
    return share


def best(factor, names, what="ns"):
    return lambda of: factor * min(of(name, what) for name in names)


def rivals(workload, suffix="", names=("tbb", "boost_fiber",
                                       "boost_fiber_spinning", "asio")):
    return [f"{workload}/{name}{suffix}" for name in names]


@dataclasses.dataclass
class Check:
    row: int
    what: str
    unit: str
    figure: object  # Both are called with a function that looks up figures.
    target: object
    at_least: bool = False

    def verdict(self, figure, target):
        met = figure >= target if self.at_least else figure <= target
        return "met" if met else "short"


CHECKS = [Check(*each) for each in [
    (1, "typed call in a handler", "ns", ns(CALL), floor_of_a_call),
    (2, "by name, event of 100 bytes: more than that", "ns",
     more("call/named_nested", CALL), fixed(40)),
    (3, "invoke_here from a thread: more than that", "ns",
     more("call/invoke_here", CALL), fixed(5)),
    (4, "async, dropped; 0.75 x oneTBB", "ns",
     ns("submit/hotplate"), times(0.75, "submit/tbb")),
    # A harder one: a client that runs tasks while its window is
    # full, as a worker does and a host's thread does not.
    (4, "async, dropped; 0.75 x oneTBB whose client helps", "ns",
     ns("submit/hotplate"), times(0.75, "submit/tbb_helping")),
    (4, "async, dropped; 0.1 x Boost.Fiber", "ns", ns("submit/hotplate"),
     best(0.1, ["submit/boost_fiber", "submit/boost_fiber_kept_stacks",
                "submit/boost_fiber_channel"])),
    (5, "invoke_all, a child; 0.9 x oneTBB", "ns",
     ns("fan_out/hotplate"), times(0.9, "fan_out/tbb")),
    (5, "invoke_all, a child; 0.4 x Boost.Fiber", "ns",
     ns("fan_out/hotplate"),
     best(0.4, ["fan_out/boost_fiber", "fan_out/boost_fiber_kept_stacks"])),
    (6, "round trip, hot, p50; best rival", "ns",
     ns("round_trip/hotplate/hot", "p50"),
     best(1, rivals("round_trip", "/hot"), "p50")),
    (6, "round trip, idle, p50; 1.1 x best rival", "ns",
     ns("round_trip/hotplate/idle", "p50"),
     best(1.1, rivals("round_trip", "/idle"), "p50")),
    (7, "metering", "ns", more("metering/on", "metering/none"), fixed(12)),
    (7, "each added meter", "ns", each_meter, fixed(3)),
    (8, "cold start, p50", "ns", ns("start/typed_nested/cold", "p50"),
     times(3, CALL)),
    (8, "cold start, p99", "ns", ns("latency/typed_nested/cold", "p99"),
     fixed(5_000)),
    (9, "snapshot start beyond the copy, p50", "ns",
     more("snapshot/restored", "snapshot/copy", "p50"), fixed(1_000)),
    (10, "idle warm instance", "bytes",
     ns("footprint/idle_instance", "bytes"), fixed(256)),
    (10, "parked fiber, less its record and instance", "bytes",
     parked_fiber, fixed(4.5 * KIB)),
    (11, "hot among 100,000 functions", "times",
     growth("functions/hot", THOUSANDS), fixed(1.1)),
    (11, "uniform over 100,000 functions", "ns",
     dearest("functions/uniform", THOUSANDS), some_misses),
    (11, "100,000 live instances", "times",
     growth("instances/live", THOUSANDS), fixed(1.2)),
    (11, "100,000 parked invocations", "times",
     growth("invocations/parked", THOUSANDS), fixed(1.2)),
    (11, "10,000 tenants", "times",
     growth("tenants/uniform", (1, 100, 10_000)), fixed(1.2)),
    (11, "8 meters", "times", growth("meters", (0, 1, 2, 4, 8)), fixed(1.2)),
    (11, "event of 6 MiB as a view: more than none", "ns", copied,
     times(1.2, f"floor/memcpy/{6 * MIB}")),
    (11, "event of up to 6 MiB moved", "times",
     growth("event/moved", (0, KIB, 64 * KIB, MIB, 6 * MIB)), fixed(1.2)),
    (12, "second thread, warm; beside a counter", "times",
     speedup("scaling/hotplate_warm"), fixed(0.9), True),
    (12, "second thread, cold; beside a counter", "times",
     speedup("scaling/hotplate_cold"), fixed(0.9), True),
    (13, "p99.9 beside a neighbour; 5 x without", "ns",
     ns("tail/hotplate/neighbour:1", "p999"),
     times(5, "tail/hotplate/neighbour:0", "p999")),
    (13, "p99.9 beside a neighbour; best rival", "ns",
     ns("tail/hotplate/neighbour:1", "p999"),
     best(1, rivals("tail", "/neighbour:1", ("boost_fiber", "asio")), "p999")),
    (14, "4 KiB of scratch", "ns", more("call/scratch_nested", CALL), fixed(8)),
    (15, "instructions of a typed call", "", ns(INSTRUCTIONS, "count"),
     fixed(180)),
    (16, "processor time of 10 s idle", "ns",
     ns("footprint/idle_engine", "cpu_ns"), fixed(0)),
    (16, "wake-ups in 10 s idle", "",
     ns("footprint/idle_engine", "wake_ups"), fixed(0)),
    (16, "resident after 100,000 instances, beside before", "times",
     lambda of: (of("footprint/after_burst", "after_bytes")
                 / of("footprint/after_burst", "before_bytes")), fixed(1.1)),
]]


def wanted():
    """The names of the benchmarks that the checks look at."""
    names = set()

    def note(name, _what="ns"):
        names.add(name)
        return 1.0

    for check in CHECKS:
        check.figure(note)
        check.target(note)
    return names - {INSTRUCTIONS}


def judge(figures):
    """One row a check. Errors: Failed, naming a figure that is not there."""
    def look_up(name, what="ns"):
        try:
            return figures[name][what]
        except KeyError:
            raise results.Failed(f"no benchmark gave {what} of {name}") from None

    rows = []
    for check in CHECKS:
        figure, target = check.figure(look_up), check.target(look_up)
        rows.append({"row": check.row, "what": check.what, "unit": check.unit,
                     "figure": figure, "target": target,
                     "verdict": check.verdict(figure, target)})
    return rows


def shown(value):
    """Three digits that mean something."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def table(rows):
    lines = [f"{'#':>2}  {'what':<50}{'figure':>11}{'target':>11}"]
    for row in rows:
        lines.append(f"{row['row']:>2}  {row['what']:<50}"
                     f"{shown(row['figure']):>11}{shown(row['target']):>11} "
                     f"{row['unit']:<6}{row['verdict']}")
    met = sum(row["verdict"] == "met" for row in rows)
    return "\n".join([*lines, f"{met} of {len(rows)} met"])
