#include "demo/options.hpp"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <limits>

namespace demo {

namespace {

constexpr auto description =
    "Embeds hotplate and runs real work on it: word counts, gzip, PNG\n"
    "thumbnails, a JSON transformation, a handler that invokes others, and\n"
    "three that misbehave; each cold, then warm, then many at once. Then a "
    "day\n"
    "of traffic is replayed on simulated time. Prints what each invocation\n"
    "consumed and what it would cost at four providers.\n";

constexpr auto examples =
    "Examples:\n"
    "  hotplate-demo                             all of it, on its own input\n"
    "  hotplate-demo --files *.txt --image a.png --no-trace\n"
    "  hotplate-demo --trace DIR --keep-alive 20 a day you recorded\n"
    "  hotplate-demo --json | jq .trace.cold     for programs\n"
    "\n"
    "DIR holds invocations.csv, durations.csv and memory.csv in the format of\n"
    "the Azure Functions trace 2019. Exit status: 0 if all answers were "
    "right,\n"
    "1 if one was wrong or output failed, 2 if arguments or input files are.\n";

// CLI11 takes -1 for 2^64 - 1, and what is larger for that too.
std::string objection_to_seed(const std::string& digits) {
  std::uint64_t seed = 0;
  const char* const end = digits.data() + digits.size();
  const auto read = std::from_chars(digits.data(), end, seed);
  if (read.ec == std::errc{} && read.ptr == end) return "";
  return fmt::format("Value {} not in range 0 to {}", digits,
                     std::numeric_limits<std::uint64_t>::max());
}

void add_input(CLI::App& app, options& chosen) {
  app.add_option("--files", chosen.files,
                 "Text files to count and compress [the repository's own]")
      ->type_name("FILE...")
      ->group("Input");
  app.add_option("--image", chosen.image,
                 "Picture to make thumbnails of [one drawn here]")
      ->type_name("PNG")
      ->group("Input");
}

void add_work(CLI::App& app, options& chosen) {
  const auto number = [&app](const char* name, auto& into, const char* help,
                             auto least, auto most) {
    return app.add_option(name, into, help)
        ->capture_default_str()
        ->check(CLI::Range(least, most))
        ->type_name("N")
        ->group("Work");
  };
  number("--rounds", chosen.rounds, "Warm invocations of each function", 1,
         1'000'000);
  number("--concurrency", chosen.concurrency,
         "Invocations in flight when many run at once", 1, 1'000);
  app.add_option("--workers", chosen.workers,
                 "Threads that run handlers [as many as the machine has]")
      ->check(CLI::Range(1, 256))
      ->type_name("N")
      ->group("Work");
}

void add_traffic(CLI::App& app, options& chosen, int& keep_alive,
                 bool& no_trace) {
  auto* const trace =
      app.add_option("--trace", chosen.trace, "Folder to replay [generated]")
          ->type_name("DIR");
  app.add_flag("--no-trace", no_trace, "Replay nothing")->excludes(trace);
  app.add_option("--seed", chosen.seed, "Of all that is random")
      ->capture_default_str()
      ->check(objection_to_seed)
      ->type_name("N");
  app.add_flag("--ignore-durations", chosen.ignore_durations,
               "Invocations take no time, at the start of their minute");
  app.add_option("--keep-alive", keep_alive,
                 "How long unused instances stay warm, here and in the work")
      ->capture_default_str()
      ->check(CLI::Range(0, 10'080))
      ->type_name("MINUTES");
  for (const char* name : {"--trace", "--no-trace", "--seed",
                           "--ignore-durations", "--keep-alive"}) {
    app.get_option(name)->group("A day of traffic");
  }
}

void refuse_empty(const CLI::App& app, const char* name) {
  const auto* const given = app.get_option(name);
  if (given->count() == 0) return;
  for (const std::string& value : given->results()) {
    if (value.empty()) throw CLI::ValidationError(name, "needs a name");
  }
}

}  // namespace

options parse_options(int argc, char** argv) {
  options chosen;
  int keep_alive = static_cast<int>(chosen.keep_alive.count());
  bool no_trace = false;
  CLI::App app(description, "hotplate-demo");
  app.footer(examples);
  app.get_formatter()->column_width(26);
  add_input(app, chosen);
  add_work(app, chosen);
  add_traffic(app, chosen, keep_alive, no_trace);
  app.add_flag("--json", chosen.json, "Print one JSON object, nothing else");
  try {
    app.parse(argc, argv);
    for (const char* name : {"--files", "--image", "--trace"}) {
      refuse_empty(app, name);
    }
  } catch (const CLI::CallForHelp&) {
    throw usage_shown(app.help(), true);
  } catch (const CLI::ParseError& why) {
    throw usage_shown(std::string(why.what()) + "; see hotplate-demo --help",
                      false);
  }
  chosen.keep_alive = std::chrono::minutes(keep_alive);
  chosen.replay = !no_trace;
  return chosen;
}

}  // namespace demo
