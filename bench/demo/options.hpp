#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "hotplate/config.hpp"

namespace demo {

/// What the user asked for.
struct options {
  std::vector<std::filesystem::path> files;  ///< Empty: the repository's own.
  std::filesystem::path image;               ///< Empty: one drawn here.
  std::size_t rounds = 20;
  std::size_t concurrency = 64;
  int workers = hotplate::engine_config::hardware_threads;
  bool replay = true;
  std::filesystem::path trace;  ///< Empty: a generated one.
  std::uint64_t seed = 1;
  bool ignore_durations = false;
  std::chrono::minutes keep_alive{10};
  bool json = false;
};

/// Thrown instead of options where there is nothing to run: by --help, or by
/// arguments that make no sense.
class usage_shown : public std::runtime_error {
 public:
  usage_shown(const std::string& text, bool asked)
      : std::runtime_error(text), asked_for(asked) {}
  bool asked_for;
};

options parse_options(int argc, char** argv);

}  // namespace demo
