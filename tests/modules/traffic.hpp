#pragma once

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "hotplate/hotplate.hpp"

/// Invokes on and on, from several threads.
class traffic {
 public:
  traffic(hotplate::engine& on, const std::vector<std::string>& names) {
    for (int i = 0; i < 2; ++i) {
      threads_.emplace_back([&on, names, this](const std::stop_token& stop) {
        while (!stop.stop_requested()) {
          for (const std::string& each : names) note(on.invoke(each, "4"));
        }
      });
    }
  }
  int failed() const { return failed_; }
  int done() const { return done_; }

 private:
  void note(const hotplate::outcome<hotplate::payload>& ended) {
    if (!ended && ended.code() != hotplate::errc::not_found) ++failed_;
    ++done_;
  }

  std::atomic<int> failed_ = 0, done_ = 0;
  std::vector<std::jthread> threads_;  // End first.
};
