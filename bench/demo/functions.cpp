#include "demo/functions.hpp"

#include "demo/handlers/compress.hpp"
#include "demo/handlers/misbehaving.hpp"
#include "demo/handlers/pipeline.hpp"
#include "demo/handlers/thumbnail.hpp"
#include "demo/handlers/transform.hpp"
#include "demo/handlers/word_count.hpp"
#include "hotplate/json.hpp"

namespace demo {

void deploy_functions(hotplate::engine& engine, std::chrono::minutes keep_alive,
                      std::int64_t max_concurrency) {
  // Work that waits for its turn does not fail, however slow the machine.
  const hotplate::function_config usual{.memory = {256},
                                        .timeout = std::chrono::seconds(900),
                                        .max_concurrency = max_concurrency,
                                        .keep_alive = keep_alive};
  const auto counter = engine.deploy("word_count", word_count, usual);
  engine.deploy<compress>("compress", usual);
  auto roomy = usual;
  roomy.memory = {512};
  engine.deploy("thumbnail", thumbnail, roomy);
  engine.deploy("transform", transform, usual);
  engine.deploy("pipeline", pipeline(counter), usual);

  auto strict = usual;
  strict.memory = {128};
  strict.timeout = std::chrono::milliseconds(20);
  engine.deploy("too_slow", too_slow, strict);
  strict.timeout = std::chrono::seconds(3);
  engine.deploy("too_greedy", too_greedy, strict);
  engine.deploy("faulty", faulty, strict);
}

}  // namespace demo
