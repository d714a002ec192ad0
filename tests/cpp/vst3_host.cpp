#include "vst3_host.hpp"

#include <dlfcn.h>
#include <pluginterfaces/base/ipluginbase.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace vst3_host {

using namespace Steinberg;
using namespace Steinberg::Vst;

tresult PLUGIN_API Queue::getPoint(int32 index, int32& frame, double& value) {
  if (index < 0 || index >= getPointCount()) return kResultFalse;
  frame = points[static_cast<std::size_t>(index)].frame;
  value = points[static_cast<std::size_t>(index)].value;
  return kResultOk;
}

tresult PLUGIN_API Queue::addPoint(int32 frame, double value, int32& index) {
  index = getPointCount();
  points.push_back({id_, frame, value});
  return kResultOk;
}

Changes::Changes() {
  queues.reserve(64);
  for (int i = 0; i < 8; ++i) spare_points_.emplace_back().reserve(64);
}

Changes::Changes(const std::vector<Point>& from) : Changes() {
  for (const Point& point : from) {
    int32 index = 0;
    auto known =
        std::find_if(queues.begin(), queues.end(), [&](Queue& queue) { return queue.getParameterId() == point.id; });
    Queue* queue = known != queues.end() ? &*known : addParameterData(point.id, index);
    queue->addPoint(point.frame, point.value, index);
  }
}

Queue* PLUGIN_API Changes::getParameterData(int32 index) {
  return index >= 0 && index < getParameterCount() ? &queues[static_cast<std::size_t>(index)] : nullptr;
}

Queue* PLUGIN_API Changes::addParameterData(const ParamID& id, int32& index) {
  if (queues.size() == queues.capacity()) return nullptr;
  index = getParameterCount();
  Queue& queue = queues.emplace_back(id);
  if (!spare_points_.empty()) {
    queue.points = std::move(spare_points_.back());
    spare_points_.pop_back();
  }
  return &queue;
}

tresult PLUGIN_API Stream::read(void* to, int32 bytes, int32* done) {
  const auto count = std::min(static_cast<std::size_t>(std::max(bytes, 0)), data.size() - position_);
  std::memcpy(to, data.data() + position_, count);
  position_ += count;
  if (done != nullptr) *done = static_cast<int32>(count);
  return kResultOk;
}

tresult PLUGIN_API Stream::write(void* from, int32 bytes, int32* done) {
  data.resize(std::max(data.size(), position_ + static_cast<std::size_t>(bytes)));
  std::memcpy(data.data() + position_, from, static_cast<std::size_t>(bytes));
  position_ += static_cast<std::size_t>(bytes);
  if (done != nullptr) *done = bytes;
  return kResultOk;
}

tresult PLUGIN_API Stream::seek(int64 position, int32 mode, int64* result) {
  const auto from = mode == kIBSeekSet ? 0 : static_cast<int64>(mode == kIBSeekCur ? position_ : data.size());
  position_ = static_cast<std::size_t>(std::clamp<int64>(from + position, 0, static_cast<int64>(data.size())));
  return tell(result);
}

tresult PLUGIN_API Stream::tell(int64* position) {
  if (position != nullptr) *position = static_cast<int64>(position_);
  return kResultOk;
}

tresult PLUGIN_API Application::getName(String128 name) {
  const char* text = "Forestage test host";
  std::copy_n(text, std::strlen(text) + 1, name);
  return kResultOk;
}

Plugin::Plugin(const std::string& binary) {
  library_ = dlopen(binary.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library_ == nullptr) throw std::runtime_error(dlerror());
  using Entry = bool (*)(void*);
  if (auto entry = reinterpret_cast<Entry>(dlsym(library_, "ModuleEntry"))) entry(library_);
  auto* factory = reinterpret_cast<IPluginFactory* (*)()>(dlsym(library_, "GetPluginFactory"))();
  PClassInfo info;
  for (int32 i = 0; component == nullptr && i < factory->countClasses(); ++i) {
    factory->getClassInfo(i, &info);
    if (std::strcmp(info.category, kVstAudioEffectClass) == 0)
      factory->createInstance(info.cid, IComponent::iid, reinterpret_cast<void**>(&component));
  }
  if (component == nullptr) throw std::runtime_error(binary + " has no audio effect");
  component->initialize(&application_);
  component->queryInterface(IAudioProcessor::iid, reinterpret_cast<void**>(&processor));
  TUID controller_id;
  component->getControllerClassId(controller_id);
  factory->createInstance(controller_id, IEditController::iid, reinterpret_cast<void**>(&controller));
  factory->release();
  if (processor == nullptr || controller == nullptr) throw std::runtime_error(binary + " lacks an interface");
  controller->initialize(&application_);
  controller->setComponentHandler(&handler_);
  connect(true);
  component->activateBus(kAudio, kInput, 0, true);
  component->activateBus(kAudio, kOutput, 0, true);
}

Plugin::~Plugin() {
  stop();
  connect(false);
  controller->setComponentHandler(nullptr);
  controller->terminate();
  controller->release();
  processor->release();
  component->terminate();
  component->release();  // the library stays: its threads end with the process
}

IConnectionPoint* Plugin::connection(FUnknown* of) {
  IConnectionPoint* found = nullptr;
  of->queryInterface(IConnectionPoint::iid, reinterpret_cast<void**>(&found));
  return found;
}

void Plugin::connect(bool is_on) {
  auto* a = connection(component);
  auto* b = connection(controller);
  if (a == nullptr || b == nullptr) throw std::runtime_error("component and controller cannot be connected");
  is_on ? a->connect(b) : a->disconnect(b);
  is_on ? b->connect(a) : b->disconnect(a);
  a->release();
  b->release();
}

bool Plugin::arrange(std::uint64_t input, std::uint64_t output) {
  SpeakerArrangement in = input;
  SpeakerArrangement out = output;
  return processor->setBusArrangements(&in, 1, &out, 1) == kResultOk;
}

std::uint64_t Plugin::arrangement(bool is_input) {
  SpeakerArrangement found = 0;
  processor->getBusArrangement(is_input ? kInput : kOutput, 0, found);
  return found;
}

void Plugin::set_up(double sample_rate, int max_block_frames) {
  ProcessSetup setup{kRealtime, kSample32, max_block_frames, sample_rate};
  if (processor->setupProcessing(setup) != kResultOk) throw std::runtime_error("setupProcessing was refused");
}

void Plugin::start(double sample_rate, int max_block_frames) {
  set_up(sample_rate, max_block_frames);
  component->setActive(true);
  processor->setProcessing(true);
  is_started_ = true;
}

void Plugin::stop() {
  if (!is_started_) return;
  processor->setProcessing(false);
  component->setActive(false);
  is_started_ = false;
}

tresult Plugin::process(float** inputs, int input_channels, float** outputs, int output_channels, int frames,
                        Changes& points, Changes& returned, int sample_size) {
  AudioBusBuffers in;
  AudioBusBuffers out;
  in.numChannels = input_channels;
  in.channelBuffers32 = inputs;
  out.numChannels = output_channels;
  out.channelBuffers32 = outputs;
  out.silenceFlags = ~std::uint64_t{0};
  ProcessData data;
  data.processMode = kRealtime;
  data.symbolicSampleSize = sample_size;
  data.numSamples = frames;
  data.numInputs = inputs != nullptr ? 1 : 0;
  data.numOutputs = outputs != nullptr ? 1 : 0;
  data.inputs = &in;
  data.outputs = &out;
  data.inputParameterChanges = &points;
  data.outputParameterChanges = &returned;
  const tresult result = processor->process(data);
  return result == kResultOk && outputs != nullptr && frames > 0 && out.silenceFlags != 0 ? kResultFalse : result;
}

}  // namespace vst3_host
