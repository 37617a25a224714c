// Question: what are the floors of round_trip.hpp: the call itself, and two
// threads that pass one cache line to and fro, spinning for ever?
// Unit: ns of wall time a round trip. Left out: as round_trip.hpp says.
#include <atomic>
#include <thread>

#include "compare/round_trip/round_trip.hpp"

namespace compare {
namespace {

void direct(benchmark::State& state, bool after_idle) {
  int (*volatile call)(int) = round_trip::answer;
  round_trip::measure(
      state, [&](int x) { return call(x); }, after_idle);
}
const int added = round_trip::add("direct", direct);

class spinning_server {
 public:
  int ask(int x) noexcept {
    asked_.store(x, std::memory_order_release);
    int answered = none;
    while ((answered = answered_.exchange(none, std::memory_order_acquire)) ==
           none) {
      relax();
    }
    return answered;
  }
  ~spinning_server() {
    asked_.store(stop, std::memory_order_release);
    server_.join();
  }

 private:
  static constexpr int none = -1;
  static constexpr int stop = -2;

  void serve() noexcept {
    for (;;) {
      const int x = asked_.load(std::memory_order_acquire);
      if (x == stop) return;
      if (x == none) {
        relax();
        continue;
      }
      asked_.store(none, std::memory_order_relaxed);
      answered_.store(round_trip::answer(x), std::memory_order_release);
    }
  }

  alignas(64) std::atomic<int> asked_ = none;
  alignas(64) std::atomic<int> answered_ = none;
  std::thread server_{[this] { serve(); }};
};

void spinning(benchmark::State& state, bool after_idle) {
  spinning_server server;
  round_trip::measure(
      state, [&](int x) { return server.ask(x); }, after_idle);
}
const int added_spinning = round_trip::add("direct_spinning", spinning);

}  // namespace
}  // namespace compare
