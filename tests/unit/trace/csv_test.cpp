#include "trace/csv.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "folder.hpp"

namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;
using trace::csv;

class csv_test : public testing::Test {
 protected:
  std::filesystem::path file(std::string_view content) const {
    return folder_.write("a.csv", content);
  }

  // What opening the file and then `use` has to object to.
  std::string error_at(const std::filesystem::path& path,
                       const std::function<void(csv&)>& use = {}) const {
    try {
      csv opened(path);
      if (use) use(opened);
    } catch (const trace::trace_error& why) {
      return folder_.relative(why.what());
    }
    return "";
  }
  std::string error_in(std::string_view content,
                       const std::function<void(csv&)>& use = {}) const {
    return error_at(file(content), use);
  }

  folder folder_;
};

void read_to_the_end(csv& opened) {
  while (opened.next()) {
  }
}

// Of the column "n", in every row.
void read_counts(csv& opened) {
  while (opened.next()) opened.count(opened.column("n"));
}
void read_numbers(csv& opened) {
  while (opened.next()) opened.number(opened.column("n"));
}

TEST_F(csv_test, cells_are_found_by_the_name_of_their_column) {
  csv opened(file("id,n\nx,7\ny,0.5\n"));

  ASSERT_TRUE(opened.next());
  EXPECT_EQ(opened.text(opened.column("id")), "x");
  EXPECT_EQ(opened.count(opened.column("n")), 7U);
  ASSERT_TRUE(opened.next());
  EXPECT_EQ(opened.text(opened.column("id")), "y");
  EXPECT_EQ(opened.number(opened.column("n")), 0.5);
  EXPECT_FALSE(opened.next());
}

TEST_F(csv_test, has_tells_which_columns_there_are) {
  const csv opened(file("id,n\n"));

  EXPECT_TRUE(opened.has("n"));
  EXPECT_FALSE(opened.has("N"));
  EXPECT_FALSE(opened.has(""));
}

TEST_F(csv_test, a_missing_file_is_named) {
  EXPECT_EQ(error_at(folder_.path() / "none.csv"),
            "none.csv:1:1: cannot be read: No such file or directory");
}

TEST_F(csv_test, a_directory_is_named) {
  std::filesystem::create_directory(folder_.path() / "d.csv");

  EXPECT_EQ(error_at(folder_.path() / "d.csv"),
            "d.csv:1:1: is a directory, not a file");
}

TEST_F(csv_test, an_empty_file_lacks_a_header) {
  EXPECT_EQ(error_in(""), "a.csv:1:1: the file is empty; expected a header");
}

TEST_F(csv_test, a_missing_column_is_named) {
  EXPECT_EQ(error_in("id,n\n", [](csv& opened) { opened.column("m"); }),
            "a.csv:1:1: the header lacks a column m");
}

TEST_F(csv_test, a_column_that_is_there_twice_is_refused) {
  EXPECT_EQ(error_in("id,n,id\n"),
            "a.csv:1:6: the header has this column twice");
}

TEST_F(csv_test, a_row_that_is_too_short_is_refused_at_its_end) {
  EXPECT_EQ(error_in("id,n,m\nx,1,2\nyy,3\n", read_to_the_end),
            "a.csv:3:5: this row has 2 cells, the header has 3");
  EXPECT_EQ(error_in("id,n\nxyz\n", read_to_the_end),
            "a.csv:2:4: this row has 1 cell, the header has 2");
}

TEST_F(csv_test, a_row_that_is_too_long_is_refused_at_its_first_extra_cell) {
  EXPECT_EQ(error_in("id,n\nx,1,2,3\n", read_to_the_end),
            "a.csv:2:5: this row has 4 cells, the header has 2");
}

TEST_F(csv_test, an_empty_line_is_refused) {
  EXPECT_EQ(error_in("id,n\nx,1\n\ny,2\n", read_to_the_end),
            "a.csv:3:1: this line is empty");
}

TEST_F(csv_test, an_empty_cell_is_refused) {
  EXPECT_EQ(error_in("id,n\nx,\n", read_counts),
            "a.csv:2:3: this cell is empty");
}

TEST_F(csv_test, a_file_cut_in_mid_row_says_so) {
  EXPECT_EQ(error_in("id,n,m\nx,1,2\ny,3", read_to_the_end),
            "a.csv:3:4: this row has 2 cells, the header has 3; the file may "
            "be truncated");
}

TEST_F(csv_test, counts_are_whole_and_not_negative) {
  for (const char* wrong :
       {"-1", "1.5", "1e3", "0x10", "+1", " 1", "1 ", "abc", "4294967296"}) {
    const std::string row = std::string("x,") + wrong + "\n";
    EXPECT_EQ(error_in("id,n\n" + row, read_counts),
              std::string("a.csv:2:3: \"") + wrong +
                  "\" is not a whole number from 0 to 4294967295");
  }
}

TEST_F(csv_test, the_largest_count_is_read) {
  csv opened(file("n\n4294967295\n"));

  ASSERT_TRUE(opened.next());
  EXPECT_EQ(opened.count(0), 4'294'967'295U);
}

TEST_F(csv_test, numbers_are_finite_and_not_negative) {
  for (const char* wrong : {"-1", "-0.5", "nan", "inf", "-inf", "1e13", "1e999",
                            "1,5", "1.5x", " 1", "0x1p3", "one"}) {
    const std::string row = std::string("x,") + wrong + "\n";
    EXPECT_THAT(error_in("id,n\n" + row, read_numbers), StartsWith("a.csv:2:"))
        << wrong;
  }
  EXPECT_EQ(error_in("id,n\nx,-1\n", read_numbers),
            "a.csv:2:3: \"-1\" is not a number from 0 to 1e+12");
}

TEST_F(csv_test, numbers_may_have_a_fraction_and_an_exponent) {
  csv opened(file("n\n0\n1.25\n2e3\n1e12\n"));

  for (const double expected : {0.0, 1.25, 2000.0, 1e12}) {
    ASSERT_TRUE(opened.next());
    EXPECT_EQ(opened.number(0), expected);
  }
}

TEST_F(csv_test, what_a_terminal_would_obey_is_not_quoted) {
  const std::string error = error_in("n\n\x1b[2J\xff\n", read_counts);

  EXPECT_THAT(error, HasSubstr("\"?[2J?\" is not a whole number"));
}

TEST_F(csv_test, long_cells_are_not_quoted_whole) {
  const std::string error =
      error_in("n\n" + std::string(100'000, 'a') + "\n", read_counts);

  EXPECT_THAT(error, HasSubstr("\"" + std::string(40, 'a') + "\"..."));
  EXPECT_LT(error.size(), 200U);
}

TEST_F(csv_test, lines_may_end_in_cr_and_lf) {
  csv opened(file("id,n\r\nx,1\r\ny,2\r\n"));

  ASSERT_TRUE(opened.next());
  EXPECT_EQ(opened.count(opened.column("n")), 1U);
  ASSERT_TRUE(opened.next());
  EXPECT_EQ(opened.count(opened.column("n")), 2U);
  EXPECT_FALSE(opened.next());
  EXPECT_FALSE(opened.ends_abruptly());
}

TEST_F(csv_test, the_last_line_may_lack_its_end) {
  csv cut(file("id,n\nx,1\ny,2"));
  csv whole(file("id,n\nx,1\ny,2\n"));

  read_to_the_end(cut);
  read_to_the_end(whole);

  EXPECT_EQ(cut.line(), 3U);
  EXPECT_TRUE(cut.ends_abruptly());
  EXPECT_FALSE(whole.ends_abruptly());
}

TEST_F(csv_test, a_byte_order_mark_is_no_part_of_the_header) {
  const csv opened(file("\xEF\xBB\xBFid,n\n"));

  EXPECT_TRUE(opened.has("id"));
}

TEST_F(csv_test, quoted_cells_are_refused) {
  EXPECT_EQ(error_in("id,n\n\"x\",1\n", read_to_the_end),
            "a.csv:2:1: cells must not be quoted");
}

TEST_F(csv_test, a_binary_file_is_refused) {
  const std::string bytes("\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 16);

  EXPECT_THAT(error_in(bytes, [](csv& opened) { opened.column("n"); }),
              AllOf(StartsWith("a.csv:1:1: "), HasSubstr("lacks a column n")));
}

}  // namespace
