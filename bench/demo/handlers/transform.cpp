#include "demo/handlers/transform.hpp"

#include <cstdint>
#include <string>

namespace demo {

nlohmann::json transform(const nlohmann::json& orders) {
  nlohmann::json customers = nlohmann::json::object();
  for (const nlohmann::json& order : orders) {
    std::int64_t cents = 0;
    for (const nlohmann::json& item : order.at("items")) {
      cents += item.at("cents").get<std::int64_t>() *
               item.at("count").get<std::int64_t>();
    }
    const auto customer = order.at("customer").get<std::string>();
    nlohmann::json& sum =
        customers.emplace(customer, nlohmann::json::object()).first.value();
    sum["cents"] = sum.value("cents", std::int64_t{0}) + cents;
    sum["orders"] = sum.value("orders", 0) + 1;
  }
  return customers;
}

}  // namespace demo
