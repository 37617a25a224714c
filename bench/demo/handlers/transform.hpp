#pragma once

#include <nlohmann/json.hpp>

namespace demo {

/// Groups orders by customer and sums them:
/// [{"customer": "Ada", "items": [{"cents": 5, "count": 2}, ...]}, ...]
/// becomes {"Ada": {"cents": 10, "orders": 1}, ...}.
nlohmann::json transform(const nlohmann::json& orders);

}  // namespace demo
