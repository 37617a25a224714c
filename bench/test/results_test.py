#!/usr/bin/env python3
"""What is made of Google Benchmark's JSON, and how targets are judged."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
# pylint: disable=wrong-import-position
import results
import targets


def run(name, real_time, **others):
    return {"name": name, "run_type": "iteration", "repetitions": 3,
            "iterations": 10, "real_time": real_time, "cpu_time": 1,
            "time_unit": "ns", **others}


def process(*runs):
    return results.of_process({"benchmarks": list(runs)})


class ResultsTest(unittest.TestCase):
    def test_a_name_keeps_what_says_something_about_the_workload(self):
        self.assertEqual(results.plain("functions/hot/100/real_time"),
                         "functions/hot/100")
        self.assertEqual(
            results.plain("a/b/iterations:1/repeats:1/manual_time/threads:2"),
            "a/b/threads:2")

    def test_a_figure_is_the_median_of_the_repetitions(self):
        found = process(run("a/b", 9), run("a/b", 1), run("a/b", 2),
                        run("a/c", 5))
        self.assertEqual(found, {"a/b": {"ns": 2}, "a/c": {"ns": 5}})

    def test_aggregates_that_google_benchmark_adds_do_not_count(self):
        found = process(run("a", 1), {**run("a_mean", 7),
                                      "run_type": "aggregate"})
        self.assertEqual(found, {"a": {"ns": 1}})

    def test_times_are_nanoseconds_of_one_item(self):
        self.assertEqual(process(run("a", 3, time_unit="us"))["a"]["ns"], 3e3)
        self.assertEqual(process(run("a", 9, items_per_second=1e7))["a"]["ns"],
                         100)

    def test_counters_are_figures_as_well(self):
        found = process(run("a", 1, p50=4.0), run("a", 1, p50=8.0))
        self.assertEqual(found["a"]["p50"], 6)

    def test_processes_are_joined_by_the_median_of_their_medians(self):
        slow = process(run("a", 90), run("a", 91), run("a", 92))
        joined = results.join([slow, process(run("a", 1)),
                               process(run("a", 3)), process(run("b", 5))])
        self.assertEqual(joined, {"a": {"ns": 3}, "b": {"ns": 5}})

    def test_a_benchmark_that_failed_is_named_with_its_reason(self):
        broken = run("a/b", 0, error_occurred=True, error_message="a wrong one")
        with self.assertRaisesRegex(results.Failed, "a/b: a wrong one"):
            process(broken)


class TargetsTest(unittest.TestCase):
    def figures(self, **changed):
        """Each figure 10, but for those named like call__typed_nested."""
        kinds = ("ns", "p50", "p99", "p999", "bytes", "cpu_ns", "wake_ups",
                 "before_bytes", "after_bytes", "count")
        every = {name: dict.fromkeys(kinds, 10.0)
                 for name in targets.wanted() | {targets.INSTRUCTIONS}}
        for name, value in changed.items():
            every[name.replace("__", "/")] = dict.fromkeys(kinds, value)
        return every

    def row(self, what, **changed):
        found = [row for row in targets.judge(self.figures(**changed))
                 if row["what"].startswith(what)]
        self.assertEqual(len(found), 1, what)
        return found[0]

    def test_every_row_of_the_table_is_there(self):
        rows = {row["row"] for row in targets.judge(self.figures())}
        self.assertEqual(rows, set(range(1, 17)))

    def test_a_call_is_judged_by_the_floors_of_its_run(self):
        met = self.row("typed call", call__typed_nested=90.0)
        self.assertEqual(met["target"], 10 + 2 * 10 + 4 * 10 + 20)
        self.assertEqual(met["verdict"], "met")
        self.assertEqual(
            self.row("typed call", call__typed_nested=90.1)["verdict"], "short")

    def test_a_difference_is_what_the_one_takes_more(self):
        row = self.row("by name", call__named_nested=51.0)
        self.assertEqual((row["figure"], row["target"], row["verdict"]),
                         (41, 40, "short"))

    def test_growth_is_the_dearest_beside_the_first(self):
        row = self.row("hot among", functions__hot__1000=12.0)
        self.assertAlmostEqual(row["figure"], 1.2)
        self.assertEqual(row["verdict"], "short")

    def test_the_first_meter_is_judged_as_each_further_one_is(self):
        first = {"meters__1": 15.0, "meters__8": 16.0}
        self.assertEqual(self.row("each added meter", **first)["figure"], 5)
        later = {"meters__1": 11.0, "meters__8": 25.0}
        self.assertEqual(self.row("each added meter", **later)["figure"], 2)

    def test_a_moved_event_is_judged_beside_none(self):
        row = self.row("event of up to", **{f"event__moved__{6 << 20}": 12.5})
        self.assertAlmostEqual(row["figure"], 1.25)
        self.assertEqual(row["verdict"], "short")

    def test_a_rival_is_judged_by_the_best_that_it_has(self):
        for better in ("submit__boost_fiber", "submit__boost_fiber_channel"):
            row = self.row("async, dropped; 0.1", **{better: 8.0})
            self.assertAlmostEqual(row["target"], 0.8)

    def test_a_scaling_is_met_from_its_target_on(self):
        perfect = {"scaling/direct/threads:2": 5.0}
        row = self.row("second thread, warm", **perfect,
                       **{"scaling/hotplate_warm/threads:2": 5.5})
        self.assertAlmostEqual(row["figure"], 10 / 11)
        self.assertEqual(row["verdict"], "met")
        self.assertEqual(self.row("second thread, warm", **perfect)["verdict"],
                         "short")

    def test_a_figure_that_is_not_there_is_named(self):
        lacking = self.figures()
        del lacking["submit/tbb"]
        with self.assertRaisesRegex(results.Failed, "ns of submit/tbb"):
            targets.judge(lacking)

    def test_the_table_tells_how_many_are_met(self):
        rows = targets.judge(self.figures())
        met = sum(row["verdict"] == "met" for row in rows)
        self.assertIn(f"{met} of {len(rows)} met", targets.table(rows))


if __name__ == "__main__":
    unittest.main()
