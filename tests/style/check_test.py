#!/usr/bin/env python3
"""Shows that each style check can fail: every test plants one fault in a
small clean tree and expects exactly that finding."""

import pathlib
import tempfile
import unittest

import check

CLEAN = {
    "README.md": """\
# hotplate
<!-- tests/examples/hello.cpp -->
```cpp
int main() {}
```
<!-- tests/examples/hello.cpp [main] -->
```cpp
int main() {}
```
```sh
./bench/demo.sh
```
""",
    "include/CMakeLists.txt": """\
target_sources(hotplate INTERFACE FILE_SET HEADERS FILES
  hotplate/config.hpp
  hotplate/engine.hpp
  hotplate/hotplate.hpp
  hotplate/json.hpp
  hotplate/suspend.hpp
  hotplate/base/clock.hpp
  hotplate/sched/stack_switch.hpp
  hotplate/sched/worker.hpp
)
""",
    "include/hotplate/config.hpp":
        '#pragma once\n#include <chrono>\n#include "hotplate/base/clock.hpp"\n',
    "include/hotplate/engine.hpp":
        '#pragma once\n#include "hotplate/sched/worker.hpp"\n',
    "include/hotplate/hotplate.hpp":
        '#pragma once\n#include "hotplate/engine.hpp"\n',
    "include/hotplate/json.hpp":
        "#pragma once\n#include <nlohmann/json.hpp>\n",
    "include/hotplate/suspend.hpp":
        '#pragma once\n#include "hotplate/engine.hpp"\n'
        '#include "hotplate/sched/worker.hpp"\n',
    "include/hotplate/base/README.md": "Owns time.\n",
    "include/hotplate/base/clock.hpp": "#pragma once\n#include <sys/mman.h>\n",
    "include/hotplate/sched/README.md": "Owns workers.\n",
    "include/hotplate/sched/stack_switch.hpp":
        "#pragma once\n#include <boost/context/fiber.hpp>\n",
    "include/hotplate/sched/worker.hpp":
        '#pragma once\n#include <fmt/core.h>\n#include "hotplate/config.hpp"\n'
        '#include "hotplate/base/clock.hpp"\n'
        '#include "hotplate/sched/stack_switch.hpp"\n',
    "tests/examples/hello.cpp": "// [main]\nint main() {}\n// [main]\n",
    "tests/examples/commands.sh": "./bench/demo.sh\n",
}


class StyleTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        for path, text in CLEAN.items():
            self.write(path, text)

    def write(self, path, text):
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text)

    def append(self, path, text):
        self.write(path, (self.root / path).read_text() + text)

    def include(self, header, included):
        self.append(f"include/hotplate/{header}", f"#include {included}\n")

    def readme_says(self, *lines):
        self.write("README.md", "\n".join(lines) + "\n")

    def expect(self, *parts):
        found = check.findings(self.root)
        self.assertEqual(len(found), 1, found)
        for part in parts:
            self.assertIn(part, found[0])


class CleanTreeTest(StyleTest):
    def test_a_clean_tree_has_no_findings(self):
        self.assertEqual(check.findings(self.root), [])

    def test_generated_files_are_not_looked_at(self):
        self.write("build/dev/long.cpp", "\n" * 301)

        self.assertEqual(check.findings(self.root), [])


class LayersTest(StyleTest):
    def test_a_stage_that_includes_a_higher_one(self):
        self.include("base/clock.hpp", '"hotplate/sched/worker.hpp"')
        self.expect("include/hotplate/base/clock.hpp:3:", "below sched")

    def test_a_public_header_that_shows_machinery(self):
        self.include("config.hpp", '"hotplate/sched/worker.hpp"')
        self.expect("include/hotplate/config.hpp:4:", "shows sched")

    def test_angle_brackets_are_no_way_around(self):
        self.include("config.hpp", "<hotplate/sched/worker.hpp>")
        self.expect("shows sched")

    def test_a_stage_that_includes_the_engine(self):
        self.include("sched/worker.hpp", '"hotplate/engine.hpp"')
        self.expect("only hotplate.hpp includes engine.hpp")

    def test_a_public_header_that_includes_everything(self):
        self.include("config.hpp", '"hotplate/hotplate.hpp"')
        self.expect("only hotplate.hpp includes hotplate.hpp")

    def test_json_for_everybody(self):
        self.include("hotplate.hpp", '"hotplate/json.hpp"')
        self.expect("only hosts include json.hpp")

    def test_what_stands_on_the_engine_for_everybody(self):
        self.include("config.hpp", '"hotplate/suspend.hpp"')
        self.expect("only hosts include suspend.hpp")

    def test_a_third_party_header_outside_its_home(self):
        for party in ("boost/asio.hpp", "moodycamel/concurrentqueue.h",
                      "concurrentqueue/concurrentqueue.h",
                      "nlohmann/json.hpp", "curl/curl.h"):
            with self.subTest(party):
                self.setUp()
                self.include("sched/worker.hpp", f"<{party}>")
                self.expect("does not belong here")

    def test_an_include_relative_to_its_folder(self):
        self.include("sched/worker.hpp", '"fiber.hpp"')
        self.expect("not written from hotplate/ on")

    def test_a_folder_that_is_no_stage(self):
        self.write("include/hotplate/utils/README.md", "Owns nothing.\n")
        self.write("include/hotplate/utils/x.hpp", "#pragma once\n")
        self.append("include/CMakeLists.txt", "  hotplate/utils/x.hpp\n")
        self.expect("utils is no stage")


class HeaderListTest(StyleTest):
    def test_a_header_that_is_not_listed(self):
        self.write("include/hotplate/usage.hpp", "#pragma once\n")
        self.expect("include/CMakeLists.txt", "lacks hotplate/usage.hpp")

    def test_a_listed_header_that_is_gone(self):
        self.append("include/CMakeLists.txt", "  hotplate/usage.hpp\n")
        self.expect("hotplate/usage.hpp does not exist")

    def test_a_header_listed_twice(self):
        self.append("include/CMakeLists.txt", "  hotplate/config.hpp\n")
        self.expect("names hotplate/config.hpp 2 times")


class FoldersTest(StyleTest):
    def test_a_stage_without_a_readme(self):
        (self.root / "include/hotplate/base/README.md").unlink()
        self.expect("include/hotplate/base/README.md", "is missing")

    def test_a_component_without_a_readme(self):
        self.write("lib/events/store.cpp", "\n")
        self.expect("lib/events/README.md", "is missing")

    def test_a_stage_with_a_long_readme(self):
        self.write("include/hotplate/base/README.md", "line\n" * 31)
        self.expect("over 30 lines")

    def test_a_header_without_pragma_once(self):
        self.write("include/hotplate/config.hpp", "// #pragma twice\n")
        self.expect("include/hotplate/config.hpp", "lacks #pragma once")


class SizesTest(StyleTest):
    def test_a_long_file_without_a_reason(self):
        for path in ("tests/unit/long_test.cpp", "tests/long.py",
                     "tests/long.sh", "bench/long.hpp", "lib/cmake/x.cmake"):
            with self.subTest(path):
                self.setUp()
                self.write(path, "\n" * 301)
                self.expect(path, "over 300 lines")

    def test_a_long_file_with_a_reason_is_fine(self):
        self.write("tests/long.cpp", "// Long because: a table.\n" + "\n" * 300)
        self.assertEqual(check.findings(self.root), [])

    def test_a_reason_stands_at_the_top(self):
        self.write("tests/long.cpp", "\n" * 300 + "// Long because: a table.\n")
        self.expect("over 300 lines")

    def test_a_public_header_is_shorter_whatever_the_reason(self):
        self.write("include/hotplate/config.hpp",
                   "#pragma once\n// Long because: no.\n" + "\n" * 199)
        self.expect("over 200 lines")

    def test_a_long_root_readme(self):
        self.append("README.md", "line\n" * 150)
        self.expect("README.md", "over 150 lines")


class ReadmeTest(StyleTest):
    def test_no_readme(self):
        (self.root / "README.md").unlink()
        self.expect("README.md", "is missing")

    def test_a_block_that_differs_from_its_file(self):
        self.readme_says("<!-- tests/examples/hello.cpp -->", "```cpp",
                         "int main() { return 1; }", "```")
        self.expect("README.md:2:", "differs from tests/examples/hello.cpp")

    def test_a_block_that_differs_from_its_region(self):
        self.readme_says("<!-- tests/examples/hello.cpp [main] -->", "```cpp",
                         "int main();", "```")
        self.expect("differs from tests/examples/hello.cpp")

    def test_a_region_that_is_not_marked(self):
        self.readme_says("<!-- tests/examples/hello.cpp [call] -->", "```cpp",
                         "int main() {}", "```")
        self.expect("lacks two lines [call]")

    def test_a_file_that_does_not_exist(self):
        self.readme_says("<!-- tests/examples/gone.cpp -->", "```cpp", "```")
        self.expect("tests/examples/gone.cpp does not exist")

    def test_a_block_without_a_source(self):
        for language in ("cpp", "text", "cmake", ""):
            with self.subTest(language):
                self.readme_says("Like so:", f"```{language}", "x", "```")
                self.expect("README.md:2:", "before this block")

    def test_a_shell_command_that_is_not_known(self):
        self.readme_says("```sh", "./bench/demo.sh --fast", "```")
        self.expect("commands.sh lacks: ./bench/demo.sh --fast")

    def test_a_block_that_is_never_closed(self):
        self.readme_says("<!-- tests/examples/hello.cpp -->", "```cpp")
        self.expect("never closed")


class NamedTestsTest(StyleTest):
    def test_a_test_that_does_not_exist(self):
        (self.root / "tests" / "README.md").write_text(
            "| P1 | `unit/gone_test.cpp` |\n", encoding="utf-8")
        self.expect("tests/README.md:1:", "unit/gone_test.cpp does not exist")


if __name__ == "__main__":
    unittest.main()
