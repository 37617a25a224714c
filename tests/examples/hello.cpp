#include <fmt/core.h>
#include <hotplate/hotplate.hpp>

int main() {
  hotplate::engine engine;  // workers = hardware threads

  engine.deploy("hello", [](hotplate::context&, std::string_view name) {
    return fmt::format("Hello {}!", name);
  });
  auto add = engine.deploy(
      "add", [](hotplate::context&, int a, int b) { return a + b; });

  for (const char* name : {"cold", "warm"}) {
    auto outcome = engine.invoke("hello", name);  // by name: bytes in and out
    fmt::print("{} start: {} GB-seconds: {}\n", outcome.value().text(),
               to_string(outcome.usage().start), outcome.usage().gb_seconds());
  }
  fmt::print("40 + 2 = {}\n",
             add(40, 2).value());  // typed: no codec, no lookup

  auto missing = engine.invoke("goodbye", "all");  // errors are values
  fmt::print("{}: {}\n", to_string(missing.code()), missing.error().message);
}
