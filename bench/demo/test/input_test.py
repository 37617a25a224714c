#!/usr/bin/env python3
"""What the demo makes of texts, pictures and traces, whole and broken."""

import os

import inputs
from program import QUICK, DemoTest, main

WORK = [*QUICK, "--no-trace"]


class Files(DemoTest):
    def words(self, content):
        told = self.demo(*WORK, "--files", self.write("a.txt", content))
        self.assertEqual(told.returncode, 0, told.stderr)
        return next(line for line in told.stdout.splitlines()
                    if "word_count" in line)

    def test_words_are_those_of_the_file(self):
        self.assertIn(" 3 words in 1 file, 8 B; most frequent: b, a",
                      self.words(b"b a\r\nb\n\0"))

    def test_any_bytes_are_a_text(self):
        self.assertIn(" 0 words in 1 file, 0 B", self.words(b""))
        self.assertIn(" 0 words ", self.words(bytes(3 << 20)))
        self.assertIn(" words ", self.words(bytes(range(256)) * 4096))
        # Halved where it is an event, and no word is frequent enough to show.
        self.assertIn(" 2 words in 1 file, 2.00 MB", self.words(b"a" * 2**21))

    def test_a_pipe_is_read(self):
        reader, writer = os.pipe()
        os.write(writer, b"one two")
        os.close(writer)
        ran = self.demo(*WORK, "--files", f"/dev/fd/{reader}",
                        pass_fds=[reader])
        os.close(reader)
        self.assertIn(" 2 words in 1 file", ran.stdout)

    def test_what_cannot_be_read_is_named(self):
        self.assert_refused("nowhere/a: cannot be read: No such file",
                            "--files", "nowhere/a")
        self.assert_refused(f"{self.folder}: is a directory, not a file",
                            "--files", self.folder)
        self.assert_refused("/proc/self/mem: cannot be read: Input/output",
                            "--files", "/proc/self/mem")

    def test_what_is_endless_is_refused(self):
        self.assert_refused("/dev/zero: is larger than 256 MiB",
                            "--files", "/dev/zero")

    def test_the_fault_of_one_file_is_named(self):
        good = self.write("good", b"good")
        self.assert_refused("bad: cannot be read: No such file",
                            "--files", good, "bad", good)


class Image(DemoTest):
    def assert_no_picture(self, message, content):
        path = self.write("a.png", content)
        self.assert_refused(f"{path}: {message}", "--image", path)

    def test_a_picture_is_scaled(self):
        for width, height, scaled in [(20, 10, "20 x 10"), (1, 1, "1 x 1"),
                                      (640, 2, "160 x 1"), (2, 999, "1 x 160")]:
            path = self.write("a.png", inputs.png(width, height))
            ran = self.demo(*WORK, "--image", path)
            self.assertIn(f"{width} x {height} pixels scaled to {scaled}",
                          ran.stdout)

    def test_no_png_is_refused(self):
        for content in [b"", b"text", inputs.png()[:7], inputs.png()[1:]]:
            self.assert_no_picture("is no PNG", content)

    def test_a_truncated_picture_is_refused_wherever_it_is_cut(self):
        whole = inputs.png()
        for size in range(8, len(whole), 9):
            self.assert_no_picture("is truncated", whole[:size])

    def test_a_corrupt_picture_is_refused(self):
        broken = bytearray(inputs.png())
        for at in [16, 28, 45]:  # Its width, its filter, its pixels.
            broken[at] ^= 0xFF
            self.assert_no_picture("is no valid PNG", bytes(broken))

    def test_a_picture_that_claims_to_be_huge_is_refused(self):
        for claimed in [(2**31 - 1, 2**31 - 1), (2**32 - 1, 1), (0, 0)]:
            self.assert_no_picture("is no valid PNG",
                                   inputs.png(claimed=claimed))
        self.assert_no_picture("has 1000000 x 33 pixels; at most 32000000",
                               inputs.png(claimed=(1000000, 33)))

    def test_a_file_beyond_an_event_is_refused(self):
        self.assert_no_picture("is larger than 6 MiB", bytes((6 << 20) + 1))

    def test_what_cannot_be_read_is_named(self):
        self.assert_refused("a.png: cannot be read: No such file",
                            "--image", "a.png")
        self.assert_refused(f"{self.folder}: is a directory", "--image",
                            self.folder)


class Trace(DemoTest):
    def trace(self, counts, *arguments, **files):
        inputs.write_trace(self.folder / "day", counts, **files)
        return self.json_of("--trace", "day", *arguments)["trace"]

    def test_a_day_is_replayed(self):
        told = self.trace({1: 3, 60: 2}, "--ignore-durations")

        self.assertEqual((told["invocations"], told["cold"], told["warm"]),
                         (5, 2, 3))
        self.assertAlmostEqual(told["wasted_gb_seconds"], 200 / 1024 * 1200)
        self.assertEqual((told["failed"], told["errors"]), (0, {}))
        self.assertEqual(len(told["bills"]), 4)

    def test_keep_alive_is_in_minutes(self):
        told = self.trace({1: 3, 60: 2}, "--ignore-durations",
                          "--keep-alive", 59)

        self.assertEqual(told["cold"], 1)

    def test_a_day_without_invocations_is_replayed(self):
        told = self.trace({})

        self.assertEqual((told["invocations"], told["cold"]), (0, 0))
        self.assertEqual(self.demo(*QUICK, "--trace", "day").returncode, 0)

    def test_hours_end_at_the_timeout_and_count_as_failed(self):
        for milliseconds in [900001, 7200000, 1e12]:
            told = self.trace({1: 2}, milliseconds=milliseconds)

            self.assertEqual((told["invocations"], told["failed"]), (2, 2))
            self.assertEqual(told["errors"], {"timed_out": 2})

    def test_memory_beyond_what_is_sold_is_wasted_but_not_billed(self):
        told = self.trace({1: 1}, "--ignore-durations", memory_mb=20480)

        self.assertAlmostEqual(told["wasted_gb_seconds"], 20 * 600)

    def test_figures_stay_numbers(self):
        told = self.trace({1: 1}, memory_mb=1e12)

        self.assertGreater(told["wasted_gb_seconds"], 1e11)

    def test_without_trace_a_day_is_generated(self):
        told = self.json_of()["trace"]

        self.assertAlmostEqual(told["invocations"], 468175, delta=4681)
        self.assertEqual(told["invocations"], told["cold"] + told["warm"])

    def test_what_is_no_folder_of_a_trace_is_refused(self):
        self.assert_refused("nowhere/invocations.csv:1:1: cannot be read: No "
                            "such file", "--trace", "nowhere")
        file = self.write("file", b"")
        self.assert_refused(f"{file}/invocations.csv:1:1: cannot be read: Not "
                            "a directory", "--trace", file)

    def test_a_missing_file_is_named(self):
        for name in ["invocations.csv", "durations.csv", "memory.csv"]:
            day = inputs.write_trace(self.folder / "day", {1: 1})
            (day / name).unlink()
            self.assert_refused(f"day/{name}:1:1: cannot be read: No such "
                                "file", "--trace", "day")

    def test_a_malformed_file_is_named_with_line_and_column(self):
        day = inputs.write_trace(self.folder / "day", {1: 1})
        file = day / "invocations.csv"
        whole = file.read_text()
        for broken, message in [
                (whole.replace("\na,f,1,", "\na,f,-1,"), "2:5: \"-1\" is not"),
                (whole[:-700], "the file may be truncated"),
                ("", "1:1: the file is empty"),
                (whole.replace("HashApp", "Hash"), "1:1: the header lacks"),
                (whole + "\n", "3:1: this line is empty")]:
            file.write_text(broken)
            self.assert_refused(message, "--trace", "day")
            self.assert_refused("day/invocations.csv:", "--trace", "day")

    def test_an_endless_file_is_refused(self):
        day = inputs.write_trace(self.folder / "day", {1: 1})
        (day / "memory.csv").unlink()
        (day / "memory.csv").symlink_to("/dev/zero")

        self.assert_refused("day/memory.csv:1:1: is larger than 512 MiB",
                            "--trace", "day")

    def test_counts_beyond_what_a_replay_holds_are_refused(self):
        inputs.write_trace(self.folder / "day", {7: 2**32 - 1})

        self.assert_refused("day/invocations.csv:2:17: more than 10000000",
                            "--trace", "day")

    def test_a_last_line_without_end_is_a_warning(self):
        day = inputs.write_trace(self.folder / "day", {1: 1})
        file = day / "memory.csv"
        file.write_text(file.read_text().rstrip("\n"))

        ran = self.demo("--json", *QUICK, "--trace", "day")

        self.assertEqual(ran.returncode, 0)
        self.assertIn("day/memory.csv:2: the last line has no end", ran.stderr)

    def test_a_folder_may_have_any_name(self):
        name = os.fsdecode(b"d\xff\x1b \"y")
        inputs.write_trace(self.folder / name, {1: 1})

        self.assertEqual(
            self.json_of("--trace", name)["trace"]["invocations"], 1)


if __name__ == "__main__":
    main()
