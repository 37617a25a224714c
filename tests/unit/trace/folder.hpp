#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>

/// An empty folder that lives as long as its object.
class folder {
 public:
  folder() {
    std::string name =
        std::filesystem::temp_directory_path() / "hotplate_trace_XXXXXX";
    if (mkdtemp(name.data()) == nullptr) {
      throw std::runtime_error("cannot make a folder like " + name);
    }
    path_ = name;
  }
  folder(const folder&) = delete;
  folder& operator=(const folder&) = delete;
  ~folder() {
    std::error_code left_behind;
    std::filesystem::remove_all(path_, left_behind);
  }

  const std::filesystem::path& path() const { return path_; }

  /// The new file's path.
  std::filesystem::path write(std::string_view name,
                              std::string_view content) const {
    std::ofstream file(path_ / name, std::ios::binary);
    file << content;
    if (!file.flush()) throw std::runtime_error("cannot write a test's file");
    return path_ / name;
  }

  /// `text` without the folder's path, wherever it stands in it.
  std::string relative(std::string text) const {
    const std::string prefix = path_.string() + "/";
    for (auto at = text.find(prefix); at != text.npos; at = text.find(prefix)) {
      text.erase(at, prefix.size());
    }
    return text;
  }

 private:
  std::filesystem::path path_;
};
