#!/usr/bin/env python3
"""What bench/report.py makes of figures."""

import pathlib
import sys
import unittest
import unittest.mock

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
# pylint: disable=wrong-import-position
import report
import results
import targets


def document(**figures):
    return {"machine": {"cores": 2},
            "figures": {name.replace("__", "/"): values
                        for name, values in figures.items()}}


class ReportTest(unittest.TestCase):
    def test_each_table_of_the_page_is_one_that_is_made(self):
        page = (pathlib.Path(report.__file__).parent / "README.md").read_text()
        for name in report.TABLES:
            self.assertIn(f"<!-- {name} -->", page)
            self.assertIn(f"<!-- /{name} -->", page)

    def test_filling_replaces_the_table_and_keeps_the_rest(self):
        tables = {"floors": report.floors_table}
        page = "above\n<!-- floors -->\nold\n<!-- /floors -->\nbelow\n"
        figures = document(floor__cache_miss={"ns": 97.4})
        with unittest.mock.patch.object(report, "TABLES", tables):
            filled = report.fill(page, figures)
            self.assertEqual(report.fill(filled, figures), filled)
        self.assertEqual(filled, "above\n<!-- floors -->\n| floor | ns |\n"
                         "|---|--:|\n| cache miss | 97.4 |\n"
                         "<!-- /floors -->\nbelow\n")

    def test_a_page_without_a_table_s_place_is_refused(self):
        with self.assertRaisesRegex(results.Failed, "lacks <!-- machine -->"):
            report.fill("nothing", document())

    def test_threads_stand_side_by_side(self):
        table = report.lifecycle_table(document(
            **{"lifecycle/fork/threads:1": {"ns": 1234567.8},
               "lifecycle/fork/threads:2": {"ns": 700000}}))
        self.assertIn("| fork | 1,234,568 | 700,000 |", table)

    def test_what_was_not_measured_is_left_empty(self):
        table = report.growth_table(document(functions__hot__1={"ns": 88}))
        self.assertIn("| functions/hot | 88 |  |  |  |", table)

    def test_of_a_peer_the_figure_of_its_workload_is_shown(self):
        table = report.peers_table(document(
            submit__tbb={"ns": 190}, submit__best={"ns": 3},
            round_trip__tbb__hot={"ns": 1, "p50": 500, "p99": 900}))
        self.assertIn("| submit | best | 3 |  |\n| submit | tbb | 190 |  |",
                      table)
        self.assertIn("| round trip, p50 | tbb/hot | 500 | 900 |", table)

    def test_three_digits_are_shown(self):
        self.assertEqual([targets.shown(value) for value in
                          (0, 1.0449, 88.12, 1234.5, -12.34)],
                         ["0", "1.04", "88.1", "1,234", "-12.3"])


if __name__ == "__main__":
    unittest.main()
