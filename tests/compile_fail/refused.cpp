// What must not compile, each with a sentence that tells why. check.py compiles
// this once, and expects of each line that names it the error it names.

#include <array>
#include <memory_resource>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hotplate/engine.hpp"

using hotplate::context;
using namespace hotplate::literals;

struct needs_a_number {
  explicit needs_a_number(int) {}
  void operator()(context&) {}
};

struct retires_with_an_exception {
  void operator()(context&) {}
  void on_retire(hotplate::retire_reason) {}
};

std::string global;

void deploy_all(hotplate::engine& engine) {
  // What a result points to ends with the invocation.
  engine.deploy("a", [](std::string_view text) { return text; });     // result
  engine.deploy("b", [](hotplate::payload_view it) { return it; });   // result
  engine.deploy("c", []() -> const std::string& { return global; });  // result
  engine.deploy("d", []() -> std::span<int> { return {}; });          // result
  engine.deploy("e", []() -> std::mutex { return {}; });              // result

  // So does the arena.
  engine.deploy("f", [](context& ctx) {  // arena
    return std::pmr::string("text", &ctx.arena());
  });
  engine.deploy("g", [](context& ctx) {  // arena
    std::vector<std::pmr::vector<int>> made;
    made.emplace_back(&ctx.arena());
    return made;
  });
  engine.deploy("h", [](context&) {  // arena
    return std::pair<int, std::pmr::string>(1, "text");
  });

  // Arguments are kept by the invocation.
  engine.deploy("i", [](std::string& out) { out = "changed"; });  // parameter
  engine.deploy("j", [](std::mutex) {});                          // parameter

  // What else they point to, nobody keeps.
  engine.deploy("m", [](const char* text) { return *text; });  // borrowed
  engine.deploy("n", [](context&, char*) {});                  // borrowed
  engine.deploy("o", [](std::span<const int>) {});             // borrowed
  engine.deploy("p", [](const std::wstring_view&) {});         // borrowed

  engine.deploy("q", [] {}, {.memory = 4'294'967'424_MiB});  // literal

  engine.deploy<needs_a_number>("k");             // instance
  engine.deploy<retires_with_an_exception>("l");  // retire
}
