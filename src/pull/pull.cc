#include "pull/pull.h"

#include <algorithm>
#include <system_error>

#include "base/units.h"
#include "gguf/file_name.h"
#include "pull/choose.h"
#include "pull/hub.h"
#include "pull/refusal.h"
#include "pull/target.h"
#include "pull/url.h"

namespace hf::pull {
namespace {

namespace fs = std::filesystem;

constexpr int kPagesMax = 200;  // of a list: the hub gives 1,000 files in each
constexpr std::size_t kListBytesMax = 16 * 1024 * 1024;

// The key goes to the hub itself, and in clear only within this machine.
Key key_for(const Order& order) {
  const auto hub = parse_url(order.endpoint);
  if (order.token.empty() || !hub || (hub->scheme != "https" && !hub->is_loopback())) {
    return {};
  }
  return {order.token, hub->origin()};
}

std::string same_origin_or_none(const std::string& url, const std::string& as) {
  const auto next = parse_url(url);
  const auto first = parse_url(as);
  return next && first && next->origin() == first->origin() ? url : "";
}

std::optional<Bytes> size_of(const fs::path& path) {
  std::error_code error;
  const std::uintmax_t size = fs::file_size(path, error);
  return error ? std::nullopt : std::optional(Bytes(static_cast<std::int64_t>(size)));
}

void number(std::vector<Item>& items) {
  int at = 0;
  for (Item& item : items) {
    item.number = ++at;
    item.count = static_cast<int>(items.size());
  }
}

// The address of another part of the same split file; "" if its name is not written plainly.
std::string address_of_part(const std::string& url, const std::string& path, int number) {
  auto part = gguf::split_name(path);
  if (!part || gguf::name_of_part(*part) != path) {
    return {};
  }
  part->number = number;
  return with_path(url, gguf::name_of_part(*part));
}

Error named(Error error, const Item& item) {
  return std::move(error).with_context(item.file.generic_string());
}

}  // namespace

Pull::Pull(Order order, Watcher watcher)
    : order_(std::move(order)),
      watcher_(std::move(watcher)),
      http_(key_for(order_), order_.ca_file, watcher_.stopped) {}

Error Pull::refusal(const HttpHead& head) const {
  return refusal_of(order_.source, order_.endpoint, head, !key_for(order_).token.empty());
}

Result<std::vector<HubFile>> Pull::list_files() {
  std::vector<HubFile> files;
  std::string url = list_address(order_.endpoint, order_.source);
  for (int page = 0; page < kPagesMax && !url.empty(); ++page) {
    std::string text;
    HttpSink sink;
    sink.on_body = [&text](std::string_view bytes) -> Status {
      text += bytes;
      return text.size() <= kListBytesMax ? Status() : fail(Errc::Corrupt, "the list never ends");
    };
    HttpRequest request;
    request.url = url;
    const auto head = http_.run(request, sink);
    if (!head) {
      return fail(head.error().error);
    }
    if (head->status != 200) {
      return fail(refusal(*head));
    }
    auto some = parse_list(text);
    if (!some) {
      return fail(std::move(some.error()));
    }
    files.insert(files.end(), some->begin(), some->end());
    url = same_origin_or_none(next_page(head->link), url);
  }
  return files;
}

Result<std::vector<Item>> Pull::items_on_hub() {
  const auto files = list_files();
  if (!files) {
    return fail(files.error());
  }
  const auto chosen =
      choose(*files, Wanted{order_.source.file, order_.source.tag, order_.projector});
  if (!chosen) {
    return fail(chosen.error());
  }
  const auto name = checked_name(order_.name, chosen->parts.front().path);
  if (!name) {
    return fail(name.error());
  }
  const int count = static_cast<int>(chosen->parts.size());
  std::vector<Item> items;
  const auto add = [&](const HubFile& file, const fs::path& path) {
    Item item;
    item.url = file_address(order_.endpoint, order_.source, file.path);
    item.source = parse_url(item.url).value_or(Url{}).shown();
    item.file = path;
    item.sha256 = file.sha256;
    item.size = file.size;
    items.push_back(std::move(item));
  };
  for (int i = 0; i < count; ++i) {
    add(chosen->parts[static_cast<std::size_t>(i)], part_path(*name, i + 1, count));
  }
  if (chosen->projector) {
    add(*chosen->projector, projector_path(items.front().file));
  }
  return items;
}

std::optional<Bytes> Pull::size_at(const std::string& url) {
  HttpRequest request;
  request.url = url;
  request.only_head = true;
  const auto head = http_.run(request, HttpSink{});
  // Some servers answer GET alone, or any HEAD with a length of 0; the answer to GET will tell.
  const bool known = head && head->status == 200 && head->content_length > Bytes(0);
  return known ? head->content_length : std::nullopt;
}

Result<std::vector<Item>> Pull::items_at_address() {
  const auto url = parse_url(order_.source.url);
  if (!url) {
    return fail(url.error());
  }
  const std::string file = decode_path(url->path.substr(url->path.rfind('/') + 1));
  if (order_.name.empty() && !file.ends_with(".gguf")) {
    return fail(Errc::InvalidArgument,
                "the address does not end in .gguf\nsay how to call the model: --name NAME");
  }
  const auto name = checked_name(order_.name, file);
  if (!name) {
    return fail(name.error());
  }
  const gguf::SplitName part = part_name(file);
  if (part.number != 1) {
    return fail(Errc::InvalidArgument,
                "that is a later part of a split model\ngive the address of the first one, "
                "the others are fetched with it");
  }
  std::vector<Item> items;
  for (int i = 1; i <= part.count; ++i) {
    Item item;
    item.url = i == 1 ? order_.source.url : address_of_part(order_.source.url, url->path, i);
    if (item.url.empty()) {
      return fail(Errc::InvalidArgument,
                  "the addresses of the other parts cannot be told from that one\nwrite its end "
                  "without percent signs: -00001-of-0000N.gguf");
    }
    item.source = parse_url(item.url).value_or(Url{}).shown();
    item.file = part_path(*name, i, part.count);
    item.size = size_at(item.url);
    items.push_back(std::move(item));
    if (watcher_.stopped()) {
      return fail(Errc::Unavailable, "stopped");
    }
  }
  return items;
}

// A file of that name is there: the one that was asked for?
Result<Pull::Sameness> Pull::compare(const Item& item, Bytes there) {
  if (item.size && *item.size != there) {
    return Sameness::Different;
  }
  if (item.sha256.empty()) {
    return item.size ? Sameness::Same : Sameness::Unknown;
  }
  watcher_.note(item.file.generic_string() + ": there already, checking it");
  Progress progress;
  progress.file = item.file.generic_string();
  progress.number = item.number;
  progress.count = item.count;
  progress.stage = Stage::Checking;
  progress.total = there;
  const auto found = sha256_of(item.target, [&](Bytes done) {
    progress.done = done;
    watcher_.progress(progress);
    return !watcher_.stopped();
  });
  if (!found) {
    return fail(named(found.error(), item));
  }
  return *found == item.sha256 ? Sameness::Same : Sameness::Different;
}

Result<PlannedFile> Pull::look_at(const Item& item) {
  PlannedFile planned{item, false, Bytes(0)};
  const std::string file = item.file.generic_string();
  if (const auto there = size_of(item.target)) {
    const auto same = compare(item, *there);
    if (!same) {
      return fail(same.error());
    }
    if (*same == Sameness::Unknown) {
      return fail(Errc::AlreadyExists,
                  "a file named " + file +
                      " is in models_dir, and the server does not say whether it is the same\ngive "
                      "its checksum: --sha256 HEX; or call the new one differently: --name NAME");
    }
    if (*same == Sameness::Different) {
      return fail(Errc::AlreadyExists,
                  "another file named " + file +
                      " is in models_dir\ncall the new one differently: --name NAME; or remove the "
                      "old one");
    }
    planned.item.size = there;
    planned.there = true;
  } else if (const auto part = size_of(item.target.string() + ".part")) {
    planned.part = *part;
  }
  return planned;
}

Result<Plan> Pull::plan() {
  auto items = order_.source.on_hub() ? items_on_hub() : items_at_address();
  if (!items) {
    return fail(std::move(items.error()));
  }
  number(*items);
  Plan plan;
  plan.name = served_name(items->front().file);
  plan.missing = Bytes(0);
  const bool split = items->size() > 1 && !gguf::is_projector_name(items->at(1).file.string());
  if (!order_.sha256.empty() && split) {
    return fail(Errc::InvalidArgument, "--sha256 is for models in one file");
  }
  for (Item& item : *items) {
    item.target = order_.models_dir / item.file;
    if (!order_.sha256.empty() && item.number == 1) {
      if (!item.sha256.empty() && item.sha256 != order_.sha256) {
        return fail(Errc::InvalidArgument,
                    "the hub's file has another SHA-256 than --sha256: " + item.sha256);
      }
      item.sum_was_typed = item.sha256.empty();
      item.sha256 = order_.sha256;
    }
    auto planned = look_at(item);
    if (!planned) {
      return fail(std::move(planned.error()));
    }
    if (!planned->there) {
      const bool known = item.size && plan.missing;
      plan.missing =
          known ? std::optional(*plan.missing + *item.size - std::min(planned->part, *item.size))
                : std::nullopt;
    }
    plan.files.push_back(std::move(*planned));
  }
  const auto room = room_for_downloads(order_.models_dir);
  if (!room) {
    return fail(room.error());
  }
  plan.room = *room;
  if (plan.missing && *plan.missing > plan.room) {
    return fail(Errc::ResourceExhausted,
                "not enough room on the disk: " + format_bytes(*plan.missing) + " to fetch, " +
                    format_bytes(plan.room) +
                    " free (a reserve stays)\nremove models that nobody needs, or choose another "
                    "folder: --models-dir DIR");
  }
  return plan;
}

Result<std::vector<PulledFile>> Pull::fetch_all(const Plan& plan) {
  std::vector<PulledFile> pulled;
  std::vector<PartFile> parts;
  for (const PlannedFile& planned : plan.files) {
    const Item& item = planned.item;
    PulledFile file{item.file, item.size.value_or(Bytes(0)), item.sha256, !item.sha256.empty(),
                    false};
    if (!planned.there) {
      auto part = PartFile::open(item.target);
      if (!part) {
        return fail(named(std::move(part.error()), item));
      }
      const auto fetched = fetch(http_, *part, item, watcher_,
                                 [this](const HttpHead& head) { return refusal(head); });
      part->remove_if_empty();
      if (!fetched) {
        return fail(named(fetched.error(), item));
      }
      file.size = part->size();
      file.sha256 = fetched->sha256;
      file.downloaded = true;
      parts.push_back(std::move(*part));
    }
    pulled.push_back(std::move(file));
  }
  // The first part last: it is what makes a server see the model.
  for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
    if (Status finished = part->finish(); !finished) {
      return fail(std::move(finished.error()).with_context(part->target().filename().string()));
    }
  }
  return pulled;
}

}  // namespace hf::pull
