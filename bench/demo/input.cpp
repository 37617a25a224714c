#include "demo/input.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "demo/png.hpp"

namespace demo {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t most_file_bytes = std::size_t{256} << 20;
constexpr std::size_t most_picture_bytes = 6 << 20;  // An event's default.
constexpr std::size_t document_bytes = 1 << 20;

[[noreturn]] void fail(const fs::path& file, const std::string& what) {
  throw input_error(file.string() + ": " + what);
}

std::string read_file(const fs::path& file, std::size_t most) {
  std::error_code problem;
  if (fs::is_directory(file, problem)) fail(file, "is a directory, not a file");
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> opened(
      std::fopen(file.c_str(), "rb"), std::fclose);
  if (!opened) fail(file, std::string("cannot be read: ") + strerror(errno));
  std::string content;
  for (std::size_t got = 1; got != 0;) {
    const std::size_t before = content.size();
    content.resize(before + (1 << 16));
    got = std::fread(content.data() + before, 1, 1 << 16, opened.get());
    content.resize(before + got);
    if (content.size() > most) {
      fail(file, "is larger than " + std::to_string(most >> 20) + " MiB");
    }
  }
  if (std::ferror(opened.get()) != 0) {
    fail(file, std::string("cannot be read: ") + strerror(errno));
  }
  return content;
}

// Cuts behind white space where there is some, so that no word is halved.
void split(std::string_view text, std::vector<std::string>& into) {
  while (text.size() > document_bytes) {
    const auto space = text.find_last_of(" \t\r\n", document_bytes - 1);
    const auto cut = space == text.npos ? document_bytes : space + 1;
    into.emplace_back(text.substr(0, cut));
    text.remove_prefix(cut);
  }
  into.emplace_back(text);
}

bool is_text(const fs::path& file) {
  const auto extension = file.extension();
  return extension == ".hpp" || extension == ".cpp" || extension == ".md";
}

// Builds and what begins with a dot (folders of tools, locks of editors) are
// not the repository's texts.
std::vector<fs::path> own_files() {
  std::vector<fs::path> found;
  std::error_code problem;
  fs::recursive_directory_iterator at(HOTPLATE_SOURCE_DIR, problem);
  for (const fs::recursive_directory_iterator end; !problem && at != end;
       at.increment(problem)) {
    const std::string name = at->path().filename().string();
    const bool skipped = name.front() == '.' || name == "build";
    std::error_code ignored;
    if (at->is_directory(ignored)) {
      if (skipped) at.disable_recursion_pending();
    } else if (!skipped && is_text(at->path()) &&
               at->is_regular_file(ignored)) {
      found.push_back(at->path());
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

constexpr auto stand_in =
    "Here would be the texts of the repository that this program was built "
    "from; it has moved since. Name others with --files.\n";

}  // namespace

corpus read_corpus(const std::vector<fs::path>& files) {
  corpus texts;
  const auto chosen = files.empty() ? own_files() : files;
  for (const fs::path& file : chosen) {
    const std::string text = read_file(file, most_file_bytes);
    ++texts.files;
    texts.bytes += text.size();
    split(text, texts.documents);
  }
  if (chosen.empty()) texts = {{stand_in}, 1, std::strlen(stand_in)};
  return texts;
}

std::string read_picture(const fs::path& file) {
  std::string bytes = read_file(file, most_picture_bytes);
  try {
    decode_png(bytes, std::pmr::get_default_resource());
  } catch (const png_error& why) {
    fail(file, why.what());
  }
  return bytes;
}

}  // namespace demo
