#include <toml++/toml.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <span>

#include "config/draft.h"
#include "config/near_match.h"
#include "config/settings.h"

namespace hf::config {
namespace {

std::string_view name_of(toml::node_type type) {
  switch (type) {
    case toml::node_type::table:
      return "a table";
    case toml::node_type::array:
      return "a list";
    case toml::node_type::string:
      return "a text";
    case toml::node_type::integer:
    case toml::node_type::floating_point:
      return "a number";
    case toml::node_type::boolean:
      return "true or false";
    case toml::node_type::date:
    case toml::node_type::time:
    case toml::node_type::date_time:
      return "a date or time";
    case toml::node_type::none:
      break;
  }
  return "nothing";
}

Value to_value(const toml::node& node) {
  Value value;
  value.what = name_of(node.type());
  if (const auto* flag = node.as_boolean()) {
    value.data = flag->get();
  } else if (const auto* whole = node.as_integer()) {
    value.data = whole->get();
  } else if (const auto* real = node.as_floating_point()) {
    value.data = real->get();
  } else if (const auto* text = node.as_string()) {
    value.data = text->get();
  } else if (const auto* list = node.as_array()) {
    std::vector<std::string> texts;
    std::vector<std::int64_t> numbers;
    for (const toml::node& item : *list) {
      if (const auto* item_text = item.as_string()) {
        texts.push_back(item_text->get());
      } else if (const auto* item_number = item.as_integer()) {
        numbers.push_back(item_number->get());
      }
    }
    if (texts.size() == list->size()) {
      value.data = std::move(texts);
    } else if (numbers.size() == list->size()) {
      value.data = std::move(numbers);
    } else {
      value.what = "a list of something else than texts";
    }
  }
  return value;
}

class Reader {
 public:
  explicit Reader(Draft& draft) : draft_(draft) {}

  void read(const toml::table& root);

 private:
  Place place_of(const toml::source_region& source) const {
    return {draft_.file_name, source.begin.line, source.begin.column};
  }
  template <class Section>
  void read_keys(const toml::table& table, const std::string& prefix,
                 std::span<const Setting<Section>> settings, Section& section);
  template <class Section>
  void read_section(const toml::table& root, std::string_view name,
                    std::span<const Setting<Section>> settings, Section& section);
  void read_defaults(const toml::table& root);
  void read_models(const toml::table& root);
  void read_users(const toml::table& root);
  // `known`: the keys of that table.
  void report_unknown(const toml::key& key, std::string_view table,
                      std::vector<std::string_view> known);
  const toml::table* table_at(const toml::table& root, std::string_view name);

  Draft& draft_;
};

const toml::table* Reader::table_at(const toml::table& root, std::string_view name) {
  const toml::node* node = root.get(name);
  if (node == nullptr) {
    return nullptr;
  }
  if (node->as_table() == nullptr) {
    draft_.add_error(place_of(node->source()),
                     std::string(name) + " is " + std::string(name_of(node->type())) +
                         ", expected a table [" + std::string(name) + "]");
  }
  return node->as_table();
}

void Reader::report_unknown(const toml::key& key, std::string_view table,
                            std::vector<std::string_view> known) {
  const std::string_view word = key.str();
  std::string message = "unknown key \"" + std::string(word.substr(0, 80)) + "\"";
  const std::string_view here = table.substr(0, table.find_first_of(".["));
  if (table.empty()) {
    message += " at the top of the file";
  } else {
    message += here == "users" ? " in [[users]]" : " in [" + std::string(table) + "]";
  }
  const auto longer = std::find_if(known.begin(), known.end(), [&](std::string_view name) {
    return name.starts_with(std::string(word) + "_");  // "key" for "key_sha256"
  });
  for (const SectionInfo& section : all_sections()) {
    const bool there = std::any_of(section.settings.begin(), section.settings.end(),
                                   [&](const SettingInfo& info) { return info.key == word; });
    if (there && section.table != here && longer == known.end()) {
      message += section.table.empty() ? ", expected at the top of the file, before any [table]"
                                       : ", expected in " + std::string(section.heading);
      draft_.add_error(place_of(key.source()), std::move(message));
      return;
    }
  }
  const auto nearest = longer != known.end() ? std::optional(*longer) : near_match(word, known);
  if (nearest) {
    message += ", did you mean \"" + std::string(*nearest) + "\"?";
  } else {
    std::sort(known.begin(), known.end());
    message += ", expected one of";
    for (const std::string_view name : known) {
      message += (name == known.front() ? " " : ", ") + std::string(name);
    }
  }
  draft_.add_error(place_of(key.source()), std::move(message));
}

template <class Section>
void Reader::read_keys(const toml::table& table, const std::string& prefix,
                       std::span<const Setting<Section>> settings, Section& section) {
  std::vector<std::string_view> known;
  for (const Setting<Section>& entry : settings) {
    known.push_back(entry.key);
  }
  for (auto&& [key, node] : table) {
    const auto entry = std::find_if(settings.begin(), settings.end(),
                                    [&](const auto& one) { return one.key == key.str(); });
    if (entry == settings.end() && prefix.starts_with("models.") && node.is_table()) {
      draft_.add_error(place_of(key.source()), "a name with dots needs quotes, expected [" +
                                                   prefix.substr(0, prefix.size() - 1) + "." +
                                                   std::string(key.str()) + "\"]");
      continue;
    }
    if (entry == settings.end()) {
      report_unknown(key, prefix, known);
      continue;
    }
    const std::string dotted = prefix + '.' + std::string(key.str());
    const Place place = place_of(node.source());
    draft_.places[dotted] = place;
    if (Problem problem = entry->assign(*entry, to_value(node), section)) {
      draft_.add_error(place, dotted + ": " + *problem);
    }
  }
}

template <class Section>
void Reader::read_section(const toml::table& root, std::string_view name,
                          std::span<const Setting<Section>> settings, Section& section) {
  assign_defaults(settings, section);
  if (const toml::table* table = table_at(root, name)) {
    read_keys(*table, std::string(name), settings, section);
  }
}

void Reader::read_defaults(const toml::table& root) {
  assign_defaults(model_settings(), draft_.config.defaults);
  const toml::table* table = table_at(root, "defaults");
  if (table == nullptr) {
    return;
  }
  const auto all = model_settings();
  std::vector<Setting<ModelConfig>> for_all_models;
  std::copy_if(all.begin(), all.end(), std::back_inserter(for_all_models),
               [](const auto& entry) { return !names_one_model(entry.key); });
  read_keys(*table, "defaults", std::span<const Setting<ModelConfig>>(for_all_models),
            draft_.config.defaults);
}

void Reader::read_models(const toml::table& root) {
  const toml::table* models = table_at(root, "models");
  if (models == nullptr) {
    return;
  }
  for (auto&& [key, node] : *models) {
    const std::string written(key.str());
    const std::string prefix = "models.\"" + written + '"';
    draft_.places.emplace(prefix, place_of(key.source()));
    const toml::table* table = node.as_table();
    if (table == nullptr) {
      draft_.add_error(place_of(key.source()),
                       prefix + " is " + std::string(name_of(node.type())) +
                           ", expected a table [models.\"NAME\"] (a name with dots needs quotes)");
      continue;
    }
    ModelConfig model = draft_.config.defaults;
    model.name = written;
    read_keys(*table, prefix, model_settings(), model);
    draft_.config.models.push_back(std::move(model));
  }
}

void Reader::read_users(const toml::table& root) {
  const toml::node* node = root.get("users");
  if (node == nullptr) {
    return;
  }
  const toml::array* list = node->as_array();
  if (list == nullptr || (!list->empty() && !list->is_array_of_tables())) {
    draft_.add_error(place_of(node->source()), "users is " + std::string(name_of(node->type())) +
                                                   ", expected one table [[users]] a user");
    return;
  }
  for (const toml::node& item : *list) {
    const toml::table& table = *item.as_table();
    UserConfig user;
    assign_defaults(user_settings(), user);
    const std::string prefix = "users[" + std::to_string(draft_.config.users.size() + 1) + ']';
    draft_.places.emplace(prefix, place_of(table.source()));
    read_keys(table, prefix, user_settings(), user);
    draft_.config.users.push_back(std::move(user));
  }
}

void Reader::read(const toml::table& root) {
  Config& config = draft_.config;
  const auto settings = server_settings();
  assign_defaults(settings, config);
  std::vector<std::string_view> known;
  std::set<std::string_view> tables;
  for (const SectionInfo& section : all_sections()) {
    if (!section.table.empty()) {
      known.push_back(section.table);
      tables.insert(section.table);
    }
  }
  for (const auto& entry : settings) {
    known.push_back(entry.key);
  }
  for (auto&& [key, node] : root) {
    const auto entry = std::find_if(settings.begin(), settings.end(),
                                    [&](const auto& one) { return one.key == key.str(); });
    if (entry != settings.end()) {
      const Place place = place_of(node.source());
      draft_.places[std::string(key.str())] = place;
      if (Problem problem = entry->assign(*entry, to_value(node), config)) {
        draft_.add_error(place, std::string(key.str()) + ": " + *problem);
      }
    } else if (!tables.contains(key.str())) {
      report_unknown(key, "", known);
    }
  }
  read_section(root, "memory", memory_settings(), config.memory);
  read_section(root, "queue", queue_settings(), config.queue);
  read_section(root, "engine", engine_settings(), config.engine);
  read_section(root, "tls", tls_settings(), config.tls);
  read_section(root, "log", log_settings(), config.log);
  read_section(root, "store", store_settings(), config.store);
  read_defaults(root);
  read_models(root);
  read_users(root);
}

}  // namespace

void read_toml(std::string_view text, Draft& draft) {
  try {
    const toml::table root = toml::parse(text, draft.file_name);
    Reader(draft).read(root);
  } catch (const toml::parse_error& error) {
    Reader(draft).read(
        toml::table{});  // the defaults, so that the flags can be checked all the same
    const toml::source_position begin = error.source().begin;
    draft.add_error(
        {draft.file_name, begin.line, begin.column},
        "not TOML: " + std::string(error.description()) + ", expected for example key = \"value\"");
  }
}

}  // namespace hf::config
