#!/usr/bin/env python3
"""Shows that check.py can fail."""

import unittest

import check

GCC = """\
a.hpp: In instantiation of 'struct calls<x>':
refused.cpp:3:16:   required from here
a.hpp:9:1: error: static assertion failed: never a view or a reference
a.hpp:9:1: error: another one
refused.cpp:5:1: error: something else
"""
CLANG = """\
a.hpp:9:1: error: static_assert failed "never a view or a reference"
a.hpp:8:1: note: in instantiation of template class 'calls<x>' requested here
refused.cpp:3:10: note: in instantiation of function 'deploy' requested here
"""
GCC_CONSTANT = """\
refused.cpp:4:2:   in 'constexpr' expansion of 'f(1)'
a.hpp:9:1: error: call to non-'constexpr' function 'a_mebibytes_literal_has_at_most_32_bits()'
"""
CLANG_CONSTANT = """\
refused.cpp:4:2: error: call to consteval function 'f' is not a constant expression
a.hpp:9:1: note: non-constexpr function 'a_mebibytes_literal_has_at_most_32_bits' cannot be used
"""


class CheckTest(unittest.TestCase):
    def test_errors_are_found_by_the_line_that_led_to_them(self):
        for output in (GCC, CLANG):
            found = check.errors(output, "refused.cpp")

            self.assertEqual(check.missing({3: "result"}, found), [])

    def test_what_is_not_constant_is_named_by_a_function(self):
        for output in (GCC_CONSTANT, CLANG_CONSTANT):
            found = check.errors(output, "refused.cpp")

            self.assertEqual(check.missing({4: "literal"}, found), [])

    def test_the_same_error_of_another_line_is_none_of_this(self):
        for output in (GCC, CLANG):
            found = check.errors(output, "refused.cpp")

            self.assertEqual(len(check.missing({5: "result"}, found)), 1)

    def test_another_error_is_not_the_one(self):
        found = check.errors(GCC, "refused.cpp")

        self.assertEqual(len(check.missing({3: "arena"}, found)), 1)

    def test_only_words_that_are_known_are_marks(self):
        text = "int a;  // result\nint b;  // or not\nint c;  // arena\n"

        self.assertEqual(check.marks(text), {1: "result", 3: "arena"})


if __name__ == "__main__":
    unittest.main()
