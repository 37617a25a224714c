#!/usr/bin/env python3
"""What the demo makes of its arguments and of where it prints to."""

import os
import signal
import subprocess

from program import DEMO, QUICK, DemoTest, main


class Arguments(DemoTest):
    def test_help_tells_every_option(self):
        ran = self.demo("--help")

        self.assertEqual((ran.returncode, ran.stderr), (0, ""))
        for option in ["--files", "--image", "--rounds", "--concurrency",
                       "--workers", "--trace", "--no-trace", "--seed",
                       "--ignore-durations", "--keep-alive", "--json",
                       "Exit status"]:
            self.assertIn(option, ran.stdout)

    def test_unknown_arguments_are_refused(self):
        self.assert_refused("not expected: --bogus", "--bogus")
        self.assert_refused("not expected: word", "word")

    def test_numbers_out_of_range_are_refused(self):
        for option, most in [("--rounds", 1000000), ("--concurrency", 1000),
                             ("--workers", 256)]:
            for value in ["0", "-1", str(most + 1), "9" * 30, "1.5", "many"]:
                self.assert_refused(f"{option}: Value {value} not in range "
                                    f"1 to {most}", option, value)
        for value in ["-1", "10081", "9" * 30, "x"]:
            self.assert_refused(f"--keep-alive: Value {value} not in range "
                                "0 to 10080", "--keep-alive", value)

    def test_a_seed_is_a_number_of_64_bits(self):
        for value in ["-1", str(2**64), "1.5", "x", "0x10"]:
            self.assert_refused(f"--seed: Value {value} not in range 0 to "
                                f"{2**64 - 1}", "--seed", value)
        self.json_of("--no-trace", "--seed", 2**64 - 1)

    def test_empty_names_are_refused(self):
        for option in ["--trace", "--files", "--image"]:
            self.assert_refused(f"{option}: needs a name", option, "")

    def test_options_that_exclude_each_other_are_refused(self):
        self.assert_refused("excludes", "--no-trace", "--trace", ".")


class Output(DemoTest):
    def test_json_is_one_object(self):
        told = self.json_of("--no-trace")

        self.assertEqual(told["invocations"], told["cold"] + told["warm"])
        self.assertEqual(len(told["bills"]), 4)
        self.assertNotIn("trace", told)
        names = [function["name"] for function in told["functions"]]
        self.assertIn("word_count", names)
        self.assertIn("too_slow", names)

    def test_json_tells_how_functions_failed(self):
        told = self.json_of("--no-trace")

        errors = {one["name"]: one["errors"] for one in told["functions"]}
        self.assertEqual(errors["too_slow"], {"timed_out": 3})
        self.assertEqual(errors["too_greedy"], {"out_of_memory": 3})
        self.assertEqual(errors["faulty"], {"function_threw": 3})
        self.assertEqual(errors["word_count"], {})

    def test_without_json_it_prints_tables(self):
        ran = self.demo(*QUICK, "--no-trace")

        self.assertEqual(ran.returncode, 0, ran.stderr)
        for part in ["Work done", "REPORT RequestId", "Functions", "Errors",
                     "AWS Lambda arm"]:
            self.assertIn(part, ran.stdout)

    def test_a_full_disk_is_told(self):
        for arguments in [["--help"], [*QUICK, "--no-trace"],
                          [*QUICK, "--no-trace", "--json"]]:
            with open("/dev/full", "w", encoding="ascii") as full:
                ran = self.demo(*arguments, stdout=full)
            self.assertEqual(ran.returncode, 1, arguments)
            self.assertIn("cannot write to stdout: No space left", ran.stderr)

    def test_a_reader_that_has_gone_is_told(self):
        reader, writer = os.pipe()
        os.close(reader)
        with os.fdopen(writer, "w") as gone:
            ran = self.demo(*QUICK, "--no-trace", stdout=gone)
        self.assertEqual(ran.returncode, 1)
        self.assertIn("cannot write to stdout: Broken pipe", ran.stderr)

    def test_it_runs_without_stdout_or_stderr(self):
        for closed, status in [(">&-", 1), ("2>&-", 0), (">&- 2>&- <&-", 1)]:
            ran = subprocess.run(
                ["sh", "-c", f'"$@" {closed}', "sh", DEMO, *QUICK, "--no-trace"],
                capture_output=True, timeout=100, check=False)
            self.assertEqual(ran.returncode, status, closed)

    def test_progress_is_a_line_a_second_and_a_last_one_for_each_task(self):
        ran = self.demo("--rounds", 300)

        self.assertEqual(ran.returncode, 0, ran.stderr)
        tasks = 6
        self.assertLessEqual(ran.stderr.count("\n"), self.seconds + tasks)

    def test_an_interrupt_ends_it(self):
        with subprocess.Popen(
                [DEMO, "--rounds", "1000000", "--no-trace"], text=True,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                preexec_fn=lambda: signal.signal(signal.SIGINT,
                                                 signal.SIG_DFL)) as running:
            self.assertRegex(running.stderr.readline(), r"word_count \d+ %")
            running.send_signal(signal.SIGINT)
            out, _ = running.communicate(timeout=10)
        self.assertEqual((running.returncode, out), (-signal.SIGINT, ""))


if __name__ == "__main__":
    main()
