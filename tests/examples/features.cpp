// The pieces that README.md shows, each between two lines with its name.
#include <fmt/core.h>
#include <hotplate/hotplate.hpp>

#include <map>
#include <vector>

using hotplate::context;
using namespace hotplate::literals;
using namespace std::chrono_literals;

// [instance]
struct translator {  // an object of it is an instance: warm state
  explicit translator(hotplate::init_context&) {  // the cold start
    words = {{"hot", "chaud"}, {"plate", "assiette"}};
  }
  std::string operator()(context&, std::string_view word) {
    return words.at(std::string(word));
  }
  std::map<std::string, std::string> words;
};
// [instance]

int main() {
  hotplate::engine engine({.workers = 1});

  // [deploy]
  auto translate = engine.deploy<translator>(
      "translate", {.memory = 512_MiB, .timeout = 1s, .max_concurrency = 100});
  // [deploy]
  fmt::print("{}\n", translate("hot").value());

  // [nested]
  auto sentence = engine.deploy("sentence", [&](context& ctx) {
    auto first = translate.async("hot");             // runs beside this handler
    auto second = ctx.invoke("translate", "plate");  // suspends this fiber
    return first.get().value() + " " + std::string(second.value().text());
  });
  // [nested]
  fmt::print("{}\n", sentence().value());

  // [failures]
  auto slow = engine.deploy("slow", [](context& ctx) { ctx.sleep_for(1h); },
                            {.timeout = 5ms});
  auto greedy = engine.deploy("greedy", [](context& ctx) {
    std::pmr::vector<int> all(1'000'000'000, &ctx.arena());
  });
  for (auto& outcome : {slow(), greedy()}) {
    fmt::print("{}\n", outcome.error().message);
  }
  fmt::print("{}\n", translate("cold").error().message);
  // [failures]
}
