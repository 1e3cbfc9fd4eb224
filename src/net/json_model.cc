#include "net/json_model.h"

#include <simdjson.h>

#include <limits>
#include <string>

#include "net/json_fields.h"

namespace hf::net {
namespace {

namespace dom = simdjson::dom;

void add_limit(CollectedFields& found, const dom::element& value) {
  if (value.is_int64()) {
    found.add_token_limit(value.get_int64().value_unsafe());
  } else if (value.is_uint64()) {
    found.add_token_limit(std::numeric_limits<std::int64_t>::max());
  }
}

void add_probabilities(CollectedFields& found, const dom::element& value) {
  double count = 0;  // the engine takes a fraction, too
  if (value.get_double().get(count) == simdjson::SUCCESS) {
    found.add_probabilities(count);
  }
}

void add_window(CollectedFields& found, std::string_view key, const dom::element& value) {
  double size = 0;
  if (value.get_double().get(size) == simdjson::SUCCESS) {
    found.add_window(key, size);
  }
}

void add_prompts(CollectedFields& found, const dom::array& list) {
  std::int64_t elements = 0;
  bool has_number = false;
  for (const dom::element element : list) {
    has_number = has_number || element.is_number();
    elements += element.is_string() || element.is_array() || element.is_object() ? 1 : 0;
  }
  found.add_prompts(elements, has_number);
}

// Stops soon after it is too much. Recursion: the parser has bounded the depth.
void add_rest(CollectedFields& found, const dom::element& value) {
  if (found.rest > kRepeatedMax) {
    return;
  }
  found.rest += kBytesPerValue;
  dom::array array;
  dom::object object;
  std::string_view text;
  if (value.get_array().get(array) == simdjson::SUCCESS) {
    for (const dom::element element : array) {
      add_rest(found, element);
    }
  } else if (value.get_object().get(object) == simdjson::SUCCESS) {
    for (const dom::key_value_pair field : object) {
      found.rest += kBytesPerValue + static_cast<std::int64_t>(field.key.size());
      add_rest(found, field.value);
    }
  } else if (value.get_string().get(text) == simdjson::SUCCESS) {
    found.rest += static_cast<std::int64_t>(text.size());
  }
}

// The lists of prompts, and if there are several prompts, what is repeated for each.
void collect_tasks(CollectedFields& found, const dom::object& object) {
  dom::array list;
  for (const dom::key_value_pair field : object) {
    if (CollectedFields::is_prompt_list(field.key) &&
        field.value.get_array().get(list) == simdjson::SUCCESS) {
      add_prompts(found, list);
    }
  }
  for (const dom::key_value_pair field : object) {
    if (found.prompts > 1 &&
        !(CollectedFields::is_prompt_list(field.key) && field.value.is_array())) {
      add_rest(found, field.value);
    }
  }
}

// Stops soon after there are too many. Recursion: the parser has bounded the depth.
void add_parts(CollectedFields& found, const dom::element& value) {
  if (found.parts > kPartsMax) {
    return;
  }
  dom::array array;
  dom::object object;
  if (value.get_array().get(array) == simdjson::SUCCESS) {
    ++found.parts;
    for (const dom::element element : array) {
      add_parts(found, element);
    }
  } else if (value.get_object().get(object) == simdjson::SUCCESS) {
    ++found.parts;
    for (const dom::key_value_pair field : object) {
      ++found.parts;
      add_parts(found, field.value);
    }
  } else if (value.is_string()) {
    ++found.parts;
  }
}

void add_text(MediaFacts& media, const dom::element& value) {
  std::string_view text;
  if (value.get_string().get(text) == simdjson::SUCCESS) {
    media.add(text);
  }
}

// Of an object that says it holds a picture or a sound. Keys may repeat: each one counts, whichever
// the engine takes.
void add_medium(MediaFacts& media, const dom::object& object) {
  for (const dom::key_value_pair field : object) {
    if (!CollectedFields::holds_medium(field.key)) {
      continue;
    }
    add_text(media, field.value);
    dom::object inside;
    if (field.value.get_object().get(inside) == simdjson::SUCCESS) {
      for (const dom::key_value_pair inner : inside) {
        if (CollectedFields::is_medium_text(inner.key)) {
          add_text(media, inner.value);
        }
      }
    }
  }
}

bool says_medium(const dom::key_value_pair& field) {
  std::string_view type;
  return field.key == "type" && field.value.get_string().get(type) == simdjson::SUCCESS &&
         CollectedFields::is_medium(type);
}

// In all depths: the APIs put them into messages, results of tools and lists of items, and the next
// version of the engine may look elsewhere. Recursion: the parser has bounded the depth.
void add_media(MediaFacts& media, const dom::element& value) {
  dom::array array;
  dom::object object;
  if (value.get_array().get(array) == simdjson::SUCCESS) {
    for (const dom::element element : array) {
      add_media(media, element);
    }
    return;
  }
  if (value.get_object().get(object) != simdjson::SUCCESS) {
    return;
  }
  bool medium = false;
  for (const dom::key_value_pair field : object) {
    medium = medium || says_medium(field);
    if (field.key == CollectedFields::kMediaList &&
        field.value.get_array().get(array) == simdjson::SUCCESS) {
      for (const dom::element element : array) {
        add_text(media, element);
      }
    } else {
      add_media(media, field.value);
    }
  }
  if (medium) {
    add_medium(media, object);
  }
}

// Recursion: the parser has bounded the depth.
void add_weight(SchemaWeight& weight, std::string_view key, const dom::element& value) {
  dom::array array;
  dom::object object;
  std::string_view text;
  double number = 0;
  if (value.get_array().get(array) == simdjson::SUCCESS) {
    weight.begin_list(key);
    for (const dom::element element : array) {
      add_weight(weight, {}, element);
    }
    weight.end();
  } else if (value.get_object().get(object) == simdjson::SUCCESS) {
    weight.begin_object(key);
    for (const dom::key_value_pair field : object) {
      add_weight(weight, field.key, field.value);
    }
    weight.end();
  } else if (value.get_string().get(text) == simdjson::SUCCESS) {
    weight.text(key, text);
  } else if (value.get_double().get(number) == simdjson::SUCCESS) {
    weight.number(key, number);
  } else {
    weight.other(key);
  }
}

CollectedFields collect(const dom::element& document, BodyRules rules) {
  CollectedFields found;
  dom::object object;
  if (document.get_object().get(object) != simdjson::SUCCESS) {
    return found;
  }
  found.is_object = true;
  for (const dom::key_value_pair field : object) {
    if (field.key == "model") {
      ++found.models;
      std::string_view name;
      found.model_is_string = field.value.get_string().get(name) == simdjson::SUCCESS;
      found.model = name;
    } else if (field.key == "stream") {
      bool on = false;
      found.stream = field.value.get_bool().get(on) == simdjson::SUCCESS && on;
    } else if (CollectedFields::is_token_limit(field.key)) {
      add_limit(found, field.value);
    } else if (CollectedFields::is_probability_count(field.key)) {
      add_probabilities(found, field.value);
    } else if (CollectedFields::is_window(field.key)) {
      add_window(found, field.key, field.value);
    }
  }
  if (rules.lists_are_tasks) {
    collect_tasks(found, object);
  }
  return found;
}

BodyResult faulty(BodyFault fault, std::string_view detail) {
  BodyResult result;
  result.fault = fault;
  result.detail = detail;
  return result;
}

}  // namespace

BodyResult not_json(std::string_view why) {
  return faulty(BodyFault::NotJson, "the body is not valid JSON: " + std::string(why));
}

BodyResult verdict(CollectedFields found, BodyRules rules) {
  if (!found.is_object) {
    return faulty(BodyFault::NotObject, "the body is not a JSON object");
  }
  if (found.models > 1) {
    return faulty(BodyFault::TwoModels, "the field 'model' appears more than once");
  }
  if (found.models == 0 && rules.model_required) {
    return faulty(BodyFault::NoModel, "the field 'model' is missing");
  }
  if (found.models == 1 && !found.model_is_string) {
    return faulty(BodyFault::ModelNotString, "the field 'model' is not a string");
  }
  if (found.models == 1 && found.model.empty()) {
    return faulty(BodyFault::EmptyModel, "the field 'model' is empty");
  }
  if (found.probabilities > static_cast<double>(kProbabilitiesMax)) {
    return faulty(BodyFault::TooManyProbabilities,
                  "more than " + std::to_string(kProbabilitiesMax) +
                      " probabilities for each token are not given (n_probs, logprobs, "
                      "top_logprobs): they would fill the memory");
  }
  if (found.prompts > kPromptsMax) {
    return faulty(BodyFault::TooManyPrompts, "more than " + std::to_string(kPromptsMax) +
                                                 " prompts, texts or documents in one request");
  }
  if (found.prompts > 1 && found.rest > kRepeatedMax / found.prompts) {
    return faulty(BodyFault::TooMuchRepeated,
                  "what comes with " + std::to_string(found.prompts) +
                      " prompts, texts or documents is kept once for each: it is too large");
  }
  if (found.parts > kPartsMax) {
    return faulty(BodyFault::TooManyParts, "the body has more than " + std::to_string(kPartsMax) +
                                               " strings, keys, arrays and objects");
  }
  if (found.window_size > static_cast<double>(kWindowMax)) {
    BodyResult result =
        faulty(BodyFault::WindowTooLarge, "the field '" + found.window + "' is larger than " +
                                              std::to_string(kWindowMax) + " tokens");
    result.field = found.window;
    return result;
  }
  if (found.schema_steps > kSchemaWeightMax) {
    return faulty(BodyFault::SchemaTooLarge, "a JSON schema or grammar of the body is too complex");
  }
  BodyResult result;
  result.fields.emplace();
  result.fields->model = std::move(found.model);
  result.fields->stream = found.stream;
  result.fields->media = found.media;
  if (!found.unlimited) {
    result.fields->max_tokens = found.max_tokens;
  }
  return result;
}

BodyResult read_body_fields(std::string_view padded_body, BodyRules rules) {
  if (padded_body.empty()) {
    return not_json("it is empty");
  }
  if (padded_body.substr(0, 3) == "\xEF\xBB\xBF") {
    return not_json("it begins with a byte order mark");
  }
  dom::parser parser;
  if (parser.allocate(padded_body.size(), kJsonDepthMax) != simdjson::SUCCESS) {
    return not_json("it is too large");
  }
  constexpr bool kCopyFirst = false;  // the padding is there, see the header
  dom::element document;
  const simdjson::error_code error =
      parser.parse(padded_body.data(), padded_body.size(), kCopyFirst).get(document);
  if (error == simdjson::NUMBER_ERROR) {
    return read_body_fields_by_events(padded_body, rules);
  }
  if (error != simdjson::SUCCESS) {
    return not_json(simdjson::error_message(error));
  }
  CollectedFields found = collect(document, rules);
  // Each part is two bytes at least: most bodies need not be walked through.
  if (padded_body.size() > 2 * static_cast<std::size_t>(kPartsMax)) {
    add_parts(found, document);
  }
  if (found.parts <= kPartsMax) {
    add_media(found.media, document);
    SchemaWeight weight;
    add_weight(weight, {}, document);
    found.schema_steps = weight.total();
  }
  return verdict(std::move(found), rules);
}

}  // namespace hf::net
