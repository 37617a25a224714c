#!/usr/bin/env python3
"""Shows that measure.py can fail."""

import unittest

import measure


def costs(ours, fiber, tbb):
    names = [measure.OURS, *measure.PEERS]
    return {name: (ms, 0) for name, ms in zip(names, [ours, fiber, tbb])}


class MeasureTest(unittest.TestCase):
    def test_as_dear_as_the_dearer_peer_passes(self):
        self.assertTrue(measure.within_bound(costs(900, 500, 900)))

    def test_dearer_than_both_fails(self):
        self.assertFalse(measure.within_bound(costs(901, 500, 900)))

    def test_costs_are_measured(self):
        found = measure.measure(["g++", "-std=c++20"], ["iostream"])

        least, lines = found["iostream"]
        self.assertGreater(least, 0)
        self.assertGreater(lines, 100)


if __name__ == "__main__":
    unittest.main()
