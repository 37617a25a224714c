#include "trace/read_trace.hpp"

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "folder.hpp"

namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;

constexpr auto durations_header =
    "HashOwner,HashApp,HashFunction,Average,percentile_Average_0,"
    "percentile_Average_1,percentile_Average_25,percentile_Average_50,"
    "percentile_Average_75,percentile_Average_99,percentile_Average_100\n";
constexpr auto memory_header = "HashOwner,HashApp,AverageAllocatedMb\n";

// Of 1440 minutes, all 0 but `first` and `last`.
std::string minutes(const std::string& first, const std::string& last) {
  std::string cells = fmt::format(",{}", first);
  for (int m = 2; m < 1440; ++m) cells += ",0";
  return fmt::format("{},{}", cells, last);
}

std::string function_row(const std::string& application, const std::string& id,
                         const std::string& first, const std::string& last) {
  return fmt::format("o,{},{},http{}\n", application, id, minutes(first, last));
}

std::string invocations_header(const std::string& suffix) {
  std::string header = "HashOwner,HashApp,HashFunction,Trigger";
  for (int m = 1; m <= 1440; ++m) header += fmt::format(",{}{}", m, suffix);
  return header + "\n";
}

std::string durations_row(const std::string& id, double median) {
  std::string row = fmt::format("o,app,{},9", id);
  for (const double factor : {0.1, 0.2, 0.5, 1.0, 2.0, 3.0, 4.0}) {
    row += fmt::format(",{}", factor * median);
  }
  row += '\n';
  return row;
}

std::string as_windows_writes(std::string_view text) {
  std::string written("\xEF\xBB\xBF");
  for (const char c : text) {
    if (c == '\n') written += '\r';
    written += c;
  }
  return written;
}

// A trace of one function, each file to be replaced before it is read.
class read_trace_test : public testing::Test {
 protected:
  trace::day read() const {
    folder_.write("invocations.csv", invocations_);
    folder_.write("durations.csv", durations_);
    folder_.write("memory.csv", memory_);
    return trace::read_trace(folder_.path());
  }

  std::string error() const {
    try {
      read();
    } catch (const trace::trace_error& why) {
      return folder_.relative(why.what());
    }
    return "";
  }

  folder folder_;
  std::string invocations_ =
      invocations_header("") + function_row("app_f", "f", "5", "7");
  std::string durations_ = durations_header + durations_row("f", 100);
  std::string memory_ = memory_header + std::string("o,app_f,200.5\n");
};

TEST_F(read_trace_test, a_function_gets_its_counts_durations_and_memory) {
  const trace::day day = read();

  ASSERT_EQ(day.functions.size(), 1U);
  const trace::function_day& f = day.functions[0];
  EXPECT_EQ(f.id, "f");
  EXPECT_EQ(f.application, "app_f");
  EXPECT_EQ(f.invocations.front(), 5U);
  EXPECT_EQ(f.invocations.back(), 7U);
  EXPECT_EQ(day.invocations(), 12U);
  EXPECT_EQ(f.memory_mb, 200.5);
  EXPECT_EQ(f.durations[3].share, 0.5);
  EXPECT_EQ(f.durations[3].ms, 100);
  EXPECT_EQ(f.durations[6].share, 1);
  EXPECT_EQ(f.durations[6].ms, 400);
  EXPECT_EQ(day.without_memory + day.without_durations, 0U);
  EXPECT_TRUE(day.warnings.empty());
}

TEST_F(read_trace_test, minutes_may_be_called_1_minute_and_so_on) {
  invocations_ =
      invocations_header("_minute") + function_row("app_f", "f", "5", "7");

  const trace::day day = read();

  EXPECT_EQ(day.functions[0].invocations.front(), 5U);
  EXPECT_EQ(day.functions[0].invocations.back(), 7U);
}

TEST_F(read_trace_test, a_function_without_rows_gets_the_medians) {
  invocations_ += function_row("app_g", "g", "0", "1");
  durations_ += durations_row("x", 10) + durations_row("y", 30);
  memory_ += "o,app_x,100\no,app_y,150\n";

  const trace::day day = read();

  EXPECT_EQ(day.without_memory, 1U);
  EXPECT_EQ(day.without_durations, 1U);
  EXPECT_EQ(day.functions[0].memory_mb, 200.5);
  EXPECT_EQ(day.functions[1].memory_mb, 150) << "of 100, 150 and 200.5";
  EXPECT_EQ(day.functions[1].durations[3].ms, 30) << "of 10, 30 and 100";
}

TEST_F(read_trace_test, memory_belongs_to_applications) {
  invocations_ += function_row("app_f", "g", "0", "1");

  const trace::day day = read();

  EXPECT_EQ(day.functions[1].memory_mb, 200.5);
  EXPECT_EQ(day.without_memory, 0U);
  EXPECT_EQ(day.without_durations, 1U);
}

TEST_F(read_trace_test, a_function_invoked_by_two_rows_is_refused) {
  invocations_ += function_row("app_f", "f", "0", "1");

  EXPECT_EQ(error(), "invocations.csv:3:9: this id was there before");
}

TEST_F(read_trace_test, durations_of_one_function_in_two_rows_are_refused) {
  durations_ += durations_row("f", 100);

  EXPECT_EQ(error(), "durations.csv:3:7: this id was there before");
}

TEST_F(read_trace_test, memory_of_one_application_in_two_rows_is_refused) {
  memory_ += "o,app_f,200.5\n";

  EXPECT_EQ(error(), "memory.csv:3:3: this id was there before");
}

TEST_F(read_trace_test, percentiles_that_fall_are_refused) {
  durations_ = durations_header + std::string("o,a,f,9,1,2,3,2.5,4,5,6\n");

  EXPECT_EQ(error(),
            "durations.csv:2:15: is less than the percentile before it");
}

TEST_F(read_trace_test, percentiles_may_be_equal) {
  durations_ = durations_header + std::string("o,a,f,9,2,2,2,2,2,2,2\n");

  EXPECT_EQ(read().functions[0].durations[6].ms, 2);
}

TEST_F(read_trace_test, each_missing_file_is_named) {
  for (const char* name : {"invocations.csv", "durations.csv", "memory.csv"}) {
    read();
    std::filesystem::remove(folder_.path() / name);

    try {
      trace::read_trace(folder_.path());
      ADD_FAILURE() << name << " was not missed";
    } catch (const trace::trace_error& why) {
      EXPECT_EQ(folder_.relative(why.what()),
                name + std::string(":1:1: cannot be read: No such file or "
                                   "directory"));
    }
  }
}

TEST_F(read_trace_test, a_folder_that_is_a_file_is_refused) {
  const auto file = folder_.write("a.csv", "a\n");

  EXPECT_THROW(trace::read_trace(file), trace::trace_error);
}

TEST_F(read_trace_test, a_missing_minute_is_named) {
  invocations_ = "HashApp,HashFunction,1,2\na,f,0,0\n";

  EXPECT_EQ(error(), "invocations.csv:1:1: the header lacks a column 3_minute");
}

TEST_F(read_trace_test, files_without_rows_are_refused) {
  memory_ = memory_header;
  EXPECT_EQ(error(), "memory.csv:2:1: no row follows the header");
  durations_ = durations_header;
  EXPECT_EQ(error(), "durations.csv:2:1: no row follows the header");
  invocations_ = invocations_header("");
  EXPECT_EQ(error(), "invocations.csv:2:1: no row follows the header");
}

TEST_F(read_trace_test, a_negative_count_is_refused) {
  invocations_ = invocations_header("") + function_row("app_f", "f", "-1", "7");

  EXPECT_THAT(error(), AllOf(HasSubstr("invocations.csv:2:16: \"-1\""),
                             EndsWith("from 0 to 4294967295")));
}

TEST_F(read_trace_test, a_file_cut_in_mid_row_is_refused) {
  invocations_.resize(invocations_.size() - 100);

  EXPECT_THAT(error(), AllOf(HasSubstr("invocations.csv:2:"),
                             EndsWith("the file may be truncated")));
}

TEST_F(read_trace_test, a_last_line_without_end_is_read_with_a_warning) {
  memory_.pop_back();

  const trace::day day = read();

  EXPECT_EQ(day.functions[0].memory_mb, 200.5);
  ASSERT_EQ(day.warnings.size(), 1U);
  EXPECT_THAT(folder_.relative(day.warnings[0]),
              HasSubstr("memory.csv:2: the last line has no end"));
}

TEST_F(read_trace_test, a_minute_may_hold_ten_million_invocations) {
  invocations_ = invocations_header("") +
                 function_row("app_f", "f", "9999999", "10000000");
  EXPECT_EQ(read().invocations(), 19'999'999U);

  invocations_ += function_row("app_g", "g", "1", "1");
  EXPECT_THAT(error(), AllOf(HasSubstr("invocations.csv:3:2894: "),
                             HasSubstr("more than 10000000 invocations")));
}

TEST_F(read_trace_test, files_may_be_written_on_windows) {
  for (std::string* file : {&invocations_, &durations_, &memory_}) {
    *file = as_windows_writes(*file);
  }

  const trace::day day = read();

  EXPECT_EQ(day.invocations(), 12U);
  EXPECT_EQ(day.functions[0].memory_mb, 200.5);
}

}  // namespace
