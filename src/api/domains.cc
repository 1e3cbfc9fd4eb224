#include "api/domains.h"

namespace hf::api {

namespace json = boost::json;

json::array domains_array(const engine::Status& status) {
  json::array domains;
  for (std::size_t i = 0; i < status.domains.size(); ++i) {
    const engine::DomainStatus& domain = status.domains[i];
    domains.push_back(json::object{{"name", domain.name},
                                   {"budget_bytes", status.memory.budget.in[i].count},
                                   {"reserved_bytes", status.memory.reserved.in[i].count},
                                   {"used_bytes", domain.used.count},
                                   {"total_bytes", domain.total.count}});
  }
  return domains;
}

json::object bytes_by_domain(const engine::Status& status, const core::ModelView& view) {
  json::object bytes;
  for (std::size_t i = 0; i < status.domains.size(); ++i) {
    const Bytes reserved = view.reserved.in[i];
    const Bytes measured = view.measured.in[i];
    if (reserved.count > 0 || measured.count > 0) {
      bytes[status.domains[i].name] =
          json::object{{"reserved", reserved.count}, {"measured", measured.count}};
    }
  }
  return bytes;
}

}  // namespace hf::api
