#include "vst3_audio.hpp"

#include <algorithm>
#include <cmath>

#include "vst3_host.hpp"

namespace forestage::plugin {
namespace {

using namespace Steinberg;

/// What JUCE hears of a block: of each parameter in the table its last value in time, of all others what the host says.
class LastPoints final : public Vst::IParameterChanges, private Vst::IParamValueQueue {
 public:
  LastPoints(Vst::IParameterChanges& host, const Vst3Automation& automation) : host_(host), automation_(automation) {}

  int32 PLUGIN_API getParameterCount() override { return host_.getParameterCount(); }
  Vst::IParamValueQueue* PLUGIN_API getParameterData(int32 index) override {
    auto* queue = host_.getParameterData(index);
    if (queue == nullptr || automation_.find(queue->getParameterId()) == nullptr) return queue;
    id_ = queue->getParameterId();
    return this;
  }
  Vst::IParamValueQueue* PLUGIN_API addParameterData(const Vst::ParamID&, int32&) override { return nullptr; }

 private:
  Vst::ParamID PLUGIN_API getParameterId() override { return id_; }
  int32 PLUGIN_API getPointCount() override { return automation_.last_normalised(id_) ? 1 : 0; }
  tresult PLUGIN_API getPoint(int32 index, int32& frame, Vst::ParamValue& value) override {
    const auto last = automation_.last_normalised(id_);
    if (index != 0 || !last) return kResultFalse;
    frame = 0;
    value = *last;
    return kResultOk;
  }
  tresult PLUGIN_API addPoint(int32, Vst::ParamValue, int32&) override { return kResultFalse; }

  tresult PLUGIN_API queryInterface(const TUID, void** obj) override {
    *obj = nullptr;
    return kNoInterface;
  }
  uint32 PLUGIN_API addRef() override { return 1; }  // it lives on the stack, for one call
  uint32 PLUGIN_API release() override { return 1; }

  Vst::IParameterChanges& host_;
  const Vst3Automation& automation_;
  Vst::ParamID id_ = 0;
};

const float* channel_of(const Vst::AudioBusBuffers* buses, int32 bus_count, int channel) noexcept {
  if (bus_count < 1 || buses == nullptr || buses->channelBuffers32 == nullptr || channel >= buses->numChannels)
    return nullptr;
  return buses->channelBuffers32[channel];
}

void write(AudioBlock io, Vst::AudioBusBuffers& bus, int start) noexcept {
  bus.silenceFlags = 0;
  for (int c = 0; c < bus.numChannels && bus.channelBuffers32 != nullptr; ++c) {
    float* to = bus.channelBuffers32[c];
    if (to == nullptr) continue;
    if (c < io.channels) {
      std::copy_n(io[c], io.frames, to + start);
    } else {
      std::fill_n(to + start, io.frames, 0.0f);
    }
  }
}

}  // namespace

Vst3Automation::Vst3Automation(const HostParameters& parameters) : parameters_(parameters) {
  for (std::size_t i = 0; i < param_count; ++i) {
    const auto id = static_cast<Param>(i);
    if (is_read_only(params[i])) continue;
    ids_.emplace(Vst3Host::vst3_id_of(parameters[id]), id);
  }
}

const Param* Vst3Automation::find(Vst::ParamID id) const noexcept {
  const auto found = ids_.find(id);
  return found != ids_.end() ? &found->second : nullptr;
}

std::optional<double> Vst3Automation::last_normalised(Vst::ParamID id) const noexcept {
  const auto* param = find(id);
  if (param == nullptr) return std::nullopt;
  const auto i = static_cast<std::size_t>(*param);
  if (curves_[i].is_empty()) return std::nullopt;
  return normalised(params[i], curves_[i].final_value());
}

void Vst3Automation::forget() noexcept {
  for (auto& curve : curves_) curve.forget();
}

void Vst3Automation::read(Vst::IParameterChanges* changes, int block_frames) noexcept {
  for (std::size_t i = 0; i < param_count; ++i) curves_[i].begin_block(parameters_.plain(static_cast<Param>(i)));
  const int32 count = changes != nullptr ? changes->getParameterCount() : 0;
  for (int32 i = 0; i < count; ++i) {
    auto* queue = changes->getParameterData(i);
    const auto* param = queue != nullptr ? find(queue->getParameterId()) : nullptr;
    if (param != nullptr) read(*queue, *param, block_frames);
  }
  for (std::size_t i = 0; i < param_count; ++i)
    curves_[i].end_points(params[i].kind != ParamKind::linear, block_frames);
}

void Vst3Automation::read(Vst::IParamValueQueue& queue, Param id, int block_frames) noexcept {
  const int32 count = queue.getPointCount();
  const int32 stride = 1 + (count - 1) / AutomationCurve::max_points;
  for (int32 i = (count - 1) % stride; i < count; i += stride) {  // the last one is always among them
    int32 frame = 0;
    Vst::ParamValue value = 0.0;
    if (queue.getPoint(i, frame, value) == kResultOk && std::isfinite(value))
      curves_[static_cast<std::size_t>(id)].add(frame, plain_of(spec(id), value), block_frames);
  }
}

int Vst3Automation::advance(Engine& engine, int frame) noexcept {
  int end = AutomationCurve::never;
  for (std::size_t i = 0; i < param_count; ++i) {
    if (curves_[i].is_empty()) continue;
    engine.set_param(static_cast<Param>(i), curves_[i].value_at(frame));
    end = std::min(end, curves_[i].next_change(frame));
  }
  return end;
}

Vst3Audio::Vst3Audio(Vst3Player& player, Vst::IAudioProcessor& juce, const HostParameters& parameters)
    : player_(player), juce_(juce), automation_(parameters) {}

tresult PLUGIN_API Vst3Audio::queryInterface(const TUID wanted, void** obj) {
  return juce_.queryInterface(wanted, obj);
}
uint32 PLUGIN_API Vst3Audio::addRef() { return juce_.addRef(); }
uint32 PLUGIN_API Vst3Audio::release() { return juce_.release(); }

tresult PLUGIN_API Vst3Audio::setBusArrangements(Vst::SpeakerArrangement* inputs, int32 in_count,
                                                 Vst::SpeakerArrangement* outputs, int32 out_count) {
  accepted_.clear();
  const tresult result = juce_.setBusArrangements(inputs, in_count, outputs, out_count);
  if (result == kResultOk) {
    for (int32 i = 0; i < in_count; ++i) accepted_[{Vst::kInput, i}] = inputs[i];
    for (int32 i = 0; i < out_count; ++i) accepted_[{Vst::kOutput, i}] = outputs[i];
  }
  return result;
}

// JUCE turns some arrangements into others, and hosts made with JUCE take that for a refusal.
tresult PLUGIN_API Vst3Audio::getBusArrangement(Vst::BusDirection direction, int32 index,
                                                Vst::SpeakerArrangement& arrangement) {
  const tresult result = juce_.getBusArrangement(direction, index, arrangement);
  const auto accepted = accepted_.find({direction, index});
  if (result == kResultOk && accepted != accepted_.end()) arrangement = accepted->second;
  return result;
}

tresult PLUGIN_API Vst3Audio::canProcessSampleSize(int32 size) { return juce_.canProcessSampleSize(size); }
uint32 PLUGIN_API Vst3Audio::getLatencySamples() { return juce_.getLatencySamples(); }
tresult PLUGIN_API Vst3Audio::setProcessing(TBool state) {
  automation_.forget();
  return juce_.setProcessing(state);
}
uint32 PLUGIN_API Vst3Audio::getTailSamples() { return juce_.getTailSamples(); }

tresult PLUGIN_API Vst3Audio::setupProcessing(Vst::ProcessSetup& setup) {
  const tresult result = juce_.setupProcessing(setup);
  if (result == kResultOk) {
    max_frames_ = std::max<int>(setup.maxSamplesPerBlock, 1);
    lanes_ = std::make_unique<Lanes>(max_channels, max_frames_);
    player_.note_set_up(setup.sampleRate);
  }
  return result;
}

tresult PLUGIN_API Vst3Audio::process(Vst::ProcessData& data) {
  if (data.symbolicSampleSize != Vst::kSample32 || lanes_ == nullptr) return kResultFalse;  // nobody set it up
  automation_.read(data.inputParameterChanges, std::max<int>(data.numSamples, 1));
  if (data.numSamples > 0) play(data);
  return follow(data);
}

void Vst3Audio::play(Vst::ProcessData& data) noexcept {
  // In scratch memory, because hosts may pass one buffer twice, or none.
  for (int start = 0; start < data.numSamples; start += max_frames_) {
    const AudioBlock io = lanes_->block(std::min(max_frames_, data.numSamples - start));
    for (int c = 0; c < 2; ++c) {
      const float* from = channel_of(data.inputs, data.numInputs, c);
      if (from != nullptr) {
        std::copy_n(from + start, io.frames, io[c]);
      } else {
        std::fill_n(io[c], io.frames, 0.0f);
      }
    }
    player_.play(io, automation_, start);
    if (data.numOutputs > 0 && data.outputs != nullptr) write(io, data.outputs[0], start);
  }
}

tresult Vst3Audio::follow(Vst::ProcessData& data) {
  Vst::ProcessData without_audio = data;
  without_audio.numSamples = without_audio.numInputs = without_audio.numOutputs = 0;
  if (data.inputParameterChanges == nullptr) return juce_.process(without_audio);
  LastPoints last_points(*data.inputParameterChanges, automation_);
  without_audio.inputParameterChanges = &last_points;
  return juce_.process(without_audio);
}

}  // namespace forestage::plugin
