#include "demo/handlers/pipeline.hpp"

namespace demo {

nlohmann::json pipeline::operator()(hotplate::context& ctx,
                                    std::string_view text) const {
  auto counting = count_words_.async(text);
  const auto compressed = ctx.invoke("compress", text);
  const auto counted = counting.get();
  return {{"words", counted.value().words},
          {"bytes", text.size()},
          {"gzip_bytes", compressed.value().size()}};
}

}  // namespace demo
