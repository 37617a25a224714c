#pragma once

#include <dlfcn.h>
#include <gtest/gtest.h>

#include <fstream>
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

/// Whether any of it is in this process's memory.
inline bool is_mapped(const std::string& path) {
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    if (line.find(path) != std::string::npos) return true;
  }
  return false;
}
