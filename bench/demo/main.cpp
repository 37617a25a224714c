#include <fmt/core.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>
#include <optional>
#include <utility>

#include "demo/day.hpp"
#include "demo/jobs.hpp"
#include "demo/json_report.hpp"
#include "demo/options.hpp"
#include "demo/png.hpp"
#include "demo/report.hpp"
#include "demo/scenario.hpp"
#include "trace/csv.hpp"

namespace demo {

namespace {

constexpr int wrong_or_unwritten = 1;
constexpr int bad_input = 2;

void print(const std::string& text) {
  if (std::fputs(text.c_str(), stdout) < 0 || std::fflush(stdout) != 0) {
    throw std::runtime_error(std::string("cannot write to stdout: ") +
                             std::strerror(errno));
  }
}

int fail(const std::exception& why, int status) {
  std::fputs(fmt::format("hotplate-demo: {}\n", why.what()).c_str(), stderr);
  return status;
}

// An input's fault stands alone, FILE:LINE:COLUMN first, for editors.
int refuse(const std::exception& why) {
  std::fputs(fmt::format("{}\n", why.what()).c_str(), stderr);
  return bad_input;
}

work_input load_work(const options& chosen) {
  return {read_corpus(chosen.files), chosen.image.empty()
                                         ? encode_png(draw_picture(640, 480))
                                         : read_picture(chosen.image)};
}

// All input is read before anything is printed.
void run(const options& chosen) {
  const work_input input = load_work(chosen);
  std::optional<trace::day> traffic;
  if (chosen.replay) traffic = load_day(chosen);

  const work_result work = run_work(input, chosen);
  if (!chosen.json) print(report(work));
  std::optional<day_result> day;
  if (traffic) day = run_day(*std::move(traffic), chosen);
  if (chosen.json) {
    print(json_report(work, day, chosen));
  } else if (day) {
    print(report(*day, chosen));
  }
}

}  // namespace

int guarded_main(int argc, char** argv) try {
  // Writing to a closed pipe then fails as any write does.
  std::signal(SIGPIPE, SIG_IGN);
  run(parse_options(argc, argv));
  return 0;
} catch (const usage_shown& usage) {
  if (!usage.asked_for) return fail(usage, bad_input);
  try {
    print(usage.what());
    return 0;
  } catch (const std::exception& why) {
    return fail(why, wrong_or_unwritten);
  }
} catch (const trace::trace_error& why) {
  return refuse(why);
} catch (const input_error& why) {
  return refuse(why);
} catch (const std::exception& why) {
  return fail(why, wrong_or_unwritten);
}

}  // namespace demo

int main(int argc, char** argv) { return demo::guarded_main(argc, argv); }
