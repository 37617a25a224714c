#pragma once

#include <dlfcn.h>
#include <sys/mman.h>

#include <cstdint>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>

#include "plugin.hpp"

/// A plugin while it is loaded.
class loaded {
 public:
  explicit loaded(const char* path)
      : path_(path), handle_(dlopen(path, RTLD_NOW | RTLD_LOCAL)) {
    if (handle_ == nullptr) throw std::runtime_error(dlerror());
  }
  loaded(const loaded&) = delete;
  loaded& operator=(const loaded&) = delete;
  ~loaded() { dlclose(handle_); }

  plugin_functions deploy(hotplate::engine& on, const char* own,
                          const char* other) const {
    const std::unique_ptr<plugin_functions> made(
        find<deploy_plugin>("plugin_deploy")(&on, own, other));
    return *made;
  }
  hotplate::module_id module() const {
    return find<plugin_module>("plugin_this_module")();
  }
  plugin_counts counts() const {
    plugin_counts now;
    find<count_plugin>("plugin_count")(&now);
    return now;
  }

  template <typename Function>
  Function* find(const char* name) const {
    return reinterpret_cast<Function*>(dlsym(handle_, name));
  }

 private:
  std::string path_;
  void* handle_;
};

/// Where a file is in this process's memory; `size` is 0 if it is not.
struct mapping {
  mapping() = default;
  explicit mapping(const std::string& path) {
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);) {
      if (line.find(path) == std::string::npos) continue;
      std::size_t after = 0;
      const std::uintptr_t from = std::stoull(line, &after, 16);
      const std::uintptr_t to =
          std::stoull(line.substr(after + 1), nullptr, 16);
      if (size == 0) start = from;
      size = to - start;
    }
  }
  std::uintptr_t start = 0;
  std::size_t size = 0;
};

/// Nothing is mapped there while it lives, and who goes there crashes: what is
/// loaded next would often lie just where the last one did.
class grave {
 public:
  explicit grave(const mapping& of)
      : size_(of.size),
        start_(mmap(reinterpret_cast<void*>(of.start), size_, PROT_NONE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0)) {
  }
  grave(const grave&) = delete;
  grave& operator=(const grave&) = delete;
  ~grave() {
    if (closed()) munmap(start_, size_);
  }
  bool closed() const { return start_ != MAP_FAILED; }

 private:
  std::size_t size_;
  void* start_;
};
