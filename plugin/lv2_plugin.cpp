#include "lv2_plugin.hpp"

#include <lv2/atom/util.h>
#include <lv2/patch/patch.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <exception>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <utility>

#include "headphone_eq_file.hpp"
#include "lv2_state_text.hpp"
#include "preset_io.hpp"

namespace forestage::plugin {
namespace {

constexpr int max_frames = 8192;  // of one part of a block: NaN silences its whole part
constexpr int no_preset = -1;

void log(const std::string& what) { std::cerr << "Forestage: " + what + "\n"; }

float allowed(const ParamSpec& row, float value) noexcept {
  const float clamped = std::clamp(value, row.min_value, row.max_value);
  return row.kind == ParamKind::linear ? clamped : std::round(clamped);
}

}  // namespace

Lv2Plugin::Urids::Urids(const LV2_URID_Map* map) {
  const auto of = [map](const char* uri) { return map != nullptr ? map->map(map->handle, uri) : 0; };
  atom_int = of(LV2_ATOM__Int);
  atom_string = of(LV2_ATOM__String);
  atom_path = of(LV2_ATOM__Path);
  atom_urid = of(LV2_ATOM__URID);
  atom_object = of(LV2_ATOM__Object);
  atom_blank = of(LV2_ATOM__Blank);
  atom_resource = of(LV2_ATOM__Resource);
  atom_sequence = of(LV2_ATOM__Sequence);
  patch_set = of(LV2_PATCH__Set);
  patch_property = of(LV2_PATCH__property);
  patch_value = of(LV2_PATCH__value);
  state_changed = of(LV2_STATE__StateChanged);
  state = of(lv2_state_uri);
  program = of(lv2_program_uri);
  preset_port = of(lv2_preset_port_uri);
  preset_file = of(lv2_preset_file_uri);
  headphone_eq = of(lv2_headphone_eq_uri);
}

Lv2Plugin::Lv2Plugin(int outputs, double sample_rate, const LV2_URID_Map* map)
    : ports_{outputs},
      urids_(map),
      connected_(static_cast<std::size_t>(ports_.count()), nullptr),
      lanes_(outputs, max_frames),
      list_(std::make_shared<const PresetList>()),
      preset_count_(list_->count()),
      restored_preset_(no_preset),
      wanted_preset_(no_preset),
      loader_([this] { serve(); }) {
  for (std::size_t i = 0; i < param_count; ++i) seen_[i] = params[i].default_value;
  take_values(seen_);
  session_.load(Contents{list_->first(), {}, {}});
  session_.prepare({.sample_rate = sample_rate, .output_channels = outputs}, [](const auto& swap) { swap(); });
}

void Lv2Plugin::take_values(const ParamValues& values) noexcept {
  for (std::size_t i = 0; i < param_count; ++i) values_[i].store(values[i], std::memory_order_relaxed);
}

void Lv2Plugin::connect(std::uint32_t port, void* data) noexcept {
  if (port < connected_.size()) connected_[port] = data;
}

const float* Lv2Plugin::control(int port) const noexcept {
  return static_cast<const float*>(connected_[static_cast<std::size_t>(port)]);
}

bool Lv2Plugin::is_on(int port, bool otherwise) const noexcept {
  const float* value = control(port);
  return value != nullptr ? *value > 0.5f : otherwise;
}

void Lv2Plugin::activate() {
  has_started_with_ports_ = control(ports_.preset()) != nullptr;
  take_preset_port();
  take_ports();
  serve();
  session_.engine()->reset();
  report();  // but no messages: buffers of events are a host's again between blocks, and may be gone
}

bool Lv2Plugin::take_preset_port() noexcept {
  const float* port = control(ports_.preset());
  if (port == nullptr || !std::isfinite(*port)) return false;
  const int position = static_cast<int>(std::lround(std::clamp(*port, 0.0f, float{PresetList::custom})));
  if (preset_seen_.exchange(position, std::memory_order_relaxed) == position ||
      position >= preset_count_.load(std::memory_order_relaxed) ||
      position == restored_preset_.load(std::memory_order_relaxed))
    return false;
  restored_preset_.store(no_preset, std::memory_order_relaxed);
  request_.fetch_add(1, std::memory_order_relaxed);
  wanted_preset_.store(position, std::memory_order_release);
  return true;
}

void Lv2Plugin::take_ports() noexcept {
  for (std::size_t i = 0; i < param_count; ++i) {
    const float* port = control(ports_.param(i));
    if (is_read_only(params[i]) || port == nullptr || !std::isfinite(*port) || *port == seen_[i]) continue;
    seen_[i] = *port;
    values_[i].store(allowed(params[i], *port), std::memory_order_relaxed);
    moved_in_[i].store(request_.load(std::memory_order_relaxed), std::memory_order_relaxed);
  }
}

void Lv2Plugin::take_messages() noexcept {
  auto* messages = static_cast<const LV2_Atom_Sequence*>(connected_[static_cast<std::size_t>(ports_.messages_in())]);
  bool is_asked = false;
  if (messages != nullptr && urids_.atom_sequence != 0 && messages->atom.type == urids_.atom_sequence) {
    LV2_ATOM_SEQUENCE_FOREACH(messages, event) { is_asked = take_message(*event) || is_asked; }
  }
  if (is_asked) loader_.wake();
}

bool Lv2Plugin::take_message(const LV2_Atom_Event& event) noexcept {
  const LV2_URID type = event.body.type;
  if (type != urids_.atom_object && type != urids_.atom_blank && type != urids_.atom_resource) return false;
  const auto& object = reinterpret_cast<const LV2_Atom_Object&>(event.body);
  if (object.body.otype != urids_.patch_set) return false;
  const LV2_Atom* property = nullptr;
  const LV2_Atom* value = nullptr;
  lv2_atom_object_get(&object, urids_.patch_property, &property, urids_.patch_value, &value, 0);
  if (property == nullptr || property->type != urids_.atom_urid || value == nullptr) return false;
  if (value->type != urids_.atom_path && value->type != urids_.atom_string) return false;
  const LV2_URID key = reinterpret_cast<const LV2_Atom_URID*>(property)->body;
  if (key != urids_.preset_file && key != urids_.headphone_eq) return false;
  std::string_view path(static_cast<const char*>(LV2_ATOM_BODY_CONST(value)), value->size);
  path = path.substr(0, path.find('\0'));
  return files_.push(key == urids_.preset_file ? FileRequest::Kind::preset : FileRequest::Kind::headphone_eq, path);
}

void Lv2Plugin::run(std::uint32_t frames) noexcept {
  take_messages();
  const bool is_asked = take_preset_port();
  take_ports();
  if (is_on(ports_.free_wheeling(), false) || !has_started_with_ports_) {
    has_started_with_ports_ = true;
    serve();
  } else if (is_asked) {
    loader_.wake();
  }
  auto& engine = *session_.engine();
  for (std::size_t i = 0; i < param_count; ++i) {
    if (!is_read_only(params[i])) engine.set_param(static_cast<Param>(i), value(static_cast<Param>(i)));
  }
  if (!is_on(ports_.enabled(), true)) engine.set_param(Param::bypass, 1.0f);
  for (std::uint32_t start = 0; start < frames; start += max_frames)
    play(start, std::min(frames - start, std::uint32_t{max_frames}));
  report();
  send_messages();
}

// In scratch memory, because hosts may use one buffer for an input and another channel's output.
void Lv2Plugin::play(std::uint32_t start, std::uint32_t frames) noexcept {
  const AudioBlock io = lanes_.block(static_cast<int>(frames));
  for (int c = 0; c < Lv2Ports::inputs; ++c) {
    const float* from = control(c);
    from != nullptr ? std::copy_n(from + start, frames, io[c]) : std::fill_n(io[c], frames, 0.0f);
  }
  levels_.read_input(io);
  session_.engine()->process(io);
  levels_.read_output(io);
  sound_.write(io);
  for (int c = 0; c < ports_.outputs; ++c) {
    auto* to = static_cast<float*>(connected_[static_cast<std::size_t>(ports_.output(c))]);
    if (to != nullptr) std::copy_n(io[c], frames, to + start);
  }
}

void Lv2Plugin::report() noexcept {
  const auto& engine = *session_.engine();
  const auto show = [this](int port, float shown) {
    if (auto* to = static_cast<float*>(connected_[static_cast<std::size_t>(port)])) *to = shown;
  };
  const auto quality = static_cast<UpmixQuality>(static_cast<int>(value(Param::upmix_quality)));
  show(ports_.latency(), static_cast<float>(engine.latency_frames(quality)));
  const Status status =
      session_.playing_status(static_cast<Slot>(static_cast<int>(value(Param::slot))),
                              static_cast<Monitor>(static_cast<int>(value(Param::monitor))), value(Param::room) > 0.5f);
  show(ports_.param(static_cast<std::size_t>(Param::status)), static_cast<float>(status));
  for (std::size_t i = 0; i < param_count; ++i)
    if (params[i].kind == ParamKind::meter) show(ports_.param(i), engine.param(static_cast<Param>(i)));
}

/// That the state is another one, where nothing else tells the host: once, and when there is room.
void Lv2Plugin::send_messages() noexcept {
  struct Changed {
    LV2_Atom_Event event;
    LV2_Atom_Object_Body object;
  };
  auto* messages = static_cast<LV2_Atom_Sequence*>(connected_[static_cast<std::size_t>(ports_.messages_out())]);
  if (messages == nullptr || messages->atom.size < sizeof(LV2_Atom_Sequence_Body)) return;
  const std::size_t room = messages->atom.size - sizeof(LV2_Atom_Sequence_Body);
  messages->atom.size = sizeof(LV2_Atom_Sequence_Body);
  messages->atom.type = urids_.atom_sequence;
  messages->body = {};
  const unsigned changes = changes_.load(std::memory_order_relaxed);
  if (changes == changes_told_ || urids_.state_changed == 0 || room < sizeof(Changed)) return;
  changes_told_ = changes;
  const Changed changed{{{0}, {sizeof(LV2_Atom_Object_Body), urids_.atom_object}}, {0, urids_.state_changed}};
  std::memcpy(messages + 1, &changed, sizeof(Changed));
  messages->atom.size += sizeof(Changed);
}

void Lv2Plugin::serve() {
  const std::lock_guard guard(load_mutex_);
  const int position = wanted_preset_.exchange(no_preset, std::memory_order_acquire);
  if (position != no_preset) load_preset(position);
  FileRequest request;
  while (files_.pop(request)) load_file(request);
}

void Lv2Plugin::load_preset(int position) {
  try {
    load_chosen(list_->load(position), ChosenPreset{list_->name(position), position});
  } catch (const std::exception& error) {
    log("preset \"" + list_->name(position) + "\" not loaded: " + error.what());
  }
}

void Lv2Plugin::load_file(const FileRequest& request) {
  const std::filesystem::path path(request.path.data());
  try {
    if (request.kind == FileRequest::Kind::preset) {
      request_.fetch_add(1, std::memory_order_relaxed);
      load_chosen(std::make_shared<const Preset>(forestage::load_preset(path)), std::nullopt);
    } else if (path.empty()) {
      session_.set_headphone_eq(std::nullopt);
    } else {
      session_.set_headphone_eq(load_headphone_eq(path));
    }
  } catch (const std::exception& error) {
    log(path.string() + " not loaded: " + error.what());
  }
}

void Lv2Plugin::load_chosen(std::shared_ptr<const Preset> preset, std::optional<ChosenPreset> chosen) {
  const unsigned request = request_.load(std::memory_order_relaxed);
  session_.load(static_cast<Slot>(static_cast<int>(value(Param::slot))), preset, std::move(chosen));
  for (std::size_t i = 0; i < param_count; ++i) {
    if (!params[i].in_preset || moved_in_[i].load(std::memory_order_relaxed) == request) continue;
    values_[i].store(setting(*preset, params[i]), std::memory_order_relaxed);
  }
}

float Lv2Plugin::shown(Param id) const {
  if (!is_read_only(spec(id))) return value(id);
  if (id != Param::status) return session_.measured(id);
  return static_cast<float>(session_.status(static_cast<Slot>(static_cast<int>(value(Param::slot))),
                                            static_cast<Monitor>(static_cast<int>(value(Param::monitor))),
                                            value(Param::room) > 0.5f));
}

void Lv2Plugin::set_shown(Param id, float plain) noexcept {
  values_[static_cast<std::size_t>(id)].store(allowed(spec(id), plain), std::memory_order_relaxed);
}

void Lv2Plugin::note_blind() {
  if (session_.note_blind()) note_change();
}

std::shared_ptr<const PresetList> Lv2Plugin::presets() const {
  const std::lock_guard guard(load_mutex_);
  return list_;
}

void Lv2Plugin::reload_presets() {
  auto next = std::make_shared<const PresetList>();
  const std::lock_guard guard(load_mutex_);
  list_ = std::move(next);
  preset_count_.store(list_->count(), std::memory_order_relaxed);
}

void Lv2Plugin::load(Slot slot, std::shared_ptr<const Preset> preset, std::optional<ChosenPreset> chosen) {
  const std::lock_guard guard(load_mutex_);
  session_.load(slot, preset, std::move(chosen));
  note_change();
  if (static_cast<float>(slot) != value(Param::slot)) return;
  for (std::size_t i = 0; i < param_count; ++i)
    if (params[i].in_preset) set_shown(static_cast<Param>(i), setting(*preset, params[i]));
}

void Lv2Plugin::put_back(const SlotPresets& presets, const std::array<std::optional<ChosenPreset>, 2>& chosen) {
  const std::lock_guard guard(load_mutex_);
  session_.put_back(presets, chosen);
  note_change();
}

void Lv2Plugin::set_headphone_eq(std::optional<HeadphoneEq> eq) {
  const std::lock_guard guard(load_mutex_);
  session_.set_headphone_eq(std::move(eq));
  note_change();
}

LV2_State_Status Lv2Plugin::save(LV2_State_Store_Function store, LV2_State_Handle handle) {
  if (urids_.state == 0) return LV2_STATE_ERR_NO_FEATURE;
  ParamValues values{};
  for (std::size_t i = 0; i < param_count; ++i) values[i] = value(static_cast<Param>(i));
  const auto state = session_.state(values);
  if (!state.problem.empty()) log("state not written, the last one is kept: " + state.problem);
  const std::string text = to_state_text(state.text);
  const int restored = restored_preset_.load(std::memory_order_relaxed);
  const std::int32_t position = restored != no_preset ? restored : preset_seen_.load(std::memory_order_relaxed);
  constexpr std::uint32_t flags = LV2_STATE_IS_POD | LV2_STATE_IS_PORTABLE;
  store(handle, urids_.preset_port, &position, sizeof position, urids_.atom_int, flags);
  return store(handle, urids_.state, text.c_str(), text.size() + 1, urids_.atom_string, flags);
}

LV2_State_Status Lv2Plugin::restore(LV2_State_Retrieve_Function retrieve, LV2_State_Handle handle) {
  if (urids_.state == 0) return LV2_STATE_ERR_NO_FEATURE;
  std::size_t size = 0;
  std::uint32_t type = 0;
  std::uint32_t flags = 0;
  const auto read_int = [&](LV2_URID key) -> std::optional<std::int32_t> {
    const void* data = retrieve(handle, key, &size, &type, &flags);
    if (data == nullptr || type != urids_.atom_int || size != sizeof(std::int32_t)) return std::nullopt;
    std::int32_t number = 0;
    std::memcpy(&number, data, sizeof number);
    return number;
  };
  const std::lock_guard guard(load_mutex_);
  if (const auto program = read_int(urids_.program)) {
    if (*program >= 0 && *program < list_->count()) load_preset(*program);
    return LV2_STATE_SUCCESS;
  }
  const auto position = read_int(urids_.preset_port);
  const auto* data = static_cast<const char*>(retrieve(handle, urids_.state, &size, &type, &flags));
  if (data == nullptr) return LV2_STATE_ERR_NO_PROPERTY;
  if (type != urids_.atom_string) return LV2_STATE_ERR_BAD_TYPE;
  try {
    take_values(session_.load_state(from_state_text({data, size})));
  } catch (const std::exception& error) {
    log(std::string("state not loaded, nothing changed: ") + error.what());
    return LV2_STATE_ERR_UNKNOWN;
  }
  for (const std::string& note : session_.notes()) log("state: " + note);
  wanted_preset_.store(no_preset, std::memory_order_relaxed);  // what was asked for before is past
  restored_preset_.store(position.value_or(no_preset), std::memory_order_relaxed);
  return LV2_STATE_SUCCESS;
}

}  // namespace forestage::plugin
