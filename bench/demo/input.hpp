#pragma once

#include <cstddef>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

namespace demo {

/// Says FILE: what is wrong.
class input_error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The texts to work on. Each document is an event's worth: longer files are
/// several of them.
struct corpus {
  std::vector<std::string> documents;
  std::size_t files = 0;
  std::size_t bytes = 0;
};

/// Throws input_error. Without `files`, the repository's own texts.
corpus read_corpus(const std::vector<std::filesystem::path>& files);

/// A whole picture file that decodes. Throws input_error.
std::string read_picture(const std::filesystem::path& file);

}  // namespace demo
