#!/usr/bin/env python3
"""Shows that count.py passes, warns and fails where it should."""

import unittest

import count


class CountTest(unittest.TestCase):
    def test_two_percent_more_passes_and_beyond_fails(self):
        self.assertTrue(count.verdict(255.0, 250.0)[0])
        self.assertFalse(count.verdict(255.1, 250.0)[0])

    def test_much_less_passes_and_asks_for_a_lower_figure(self):
        passed, remark = count.verdict(240.0, 250.0)

        self.assertTrue(passed)
        self.assertIn("lower the committed figure", remark)

    def test_a_mode_without_a_figure_fails(self):
        self.assertFalse(count.verdict(250.0, None)[0])

    def test_three_instructions_more_than_what_it_stands_beside_fails(self):
        self.assertTrue(count.extra(982.0, 980.0)[0])
        self.assertFalse(count.extra(983.0, 980.0)[0])

    def test_the_count_is_read_from_callgrind(self):
        text = "==7== Events    : Ir\n==7== Collected : 123456\n==7==\n"

        self.assertEqual(count.collected(text), 123456)

    def test_output_without_a_count_is_an_error(self):
        with self.assertRaises(SystemExit):
            count.collected("valgrind: no such tool\n")


if __name__ == "__main__":
    unittest.main()
