// A VST3 host without JUCE: raw channels, automation points, states. Linked into a check, and a C interface for Python.
#pragma once

#include <pluginterfaces/base/ibstream.h>
#include <pluginterfaces/vst/ivstaudioprocessor.h>
#include <pluginterfaces/vst/ivstcomponent.h>
#include <pluginterfaces/vst/ivsteditcontroller.h>
#include <pluginterfaces/vst/ivsthostapplication.h>
#include <pluginterfaces/vst/ivstmessage.h>
#include <pluginterfaces/vst/ivstparameterchanges.h>

#include <cstdint>
#include <string>
#include <vector>

namespace vst3_host {

struct Point {
  std::uint32_t id;
  std::int32_t frame;
  double value;
};

/// What only counts references lives as long as its owner.
template <class Interface>
class Owned : public Interface {
 public:
  virtual ~Owned() = default;
  Steinberg::tresult PLUGIN_API queryInterface(const Steinberg::TUID iid, void** obj) override {
    *obj = nullptr;
    if (!Steinberg::FUnknownPrivate::iidEqual(iid, Interface::iid) &&
        !Steinberg::FUnknownPrivate::iidEqual(iid, Steinberg::FUnknown::iid))
      return Steinberg::kNoInterface;
    *obj = this;
    return Steinberg::kResultOk;
  }
  Steinberg::uint32 PLUGIN_API addRef() override { return 1; }
  Steinberg::uint32 PLUGIN_API release() override { return 1; }
};

class Queue final : public Owned<Steinberg::Vst::IParamValueQueue> {
 public:
  explicit Queue(std::uint32_t id) : id_(id) {}
  Steinberg::Vst::ParamID PLUGIN_API getParameterId() override { return id_; }
  Steinberg::int32 PLUGIN_API getPointCount() override { return static_cast<Steinberg::int32>(points.size()); }
  Steinberg::tresult PLUGIN_API getPoint(Steinberg::int32 index, Steinberg::int32& frame, double& value) override;
  Steinberg::tresult PLUGIN_API addPoint(Steinberg::int32 frame, double value, Steinberg::int32& index) override;

  std::vector<Point> points;

 private:
  std::uint32_t id_;
};

class Changes final : public Owned<Steinberg::Vst::IParameterChanges> {
 public:
  Changes();
  explicit Changes(const std::vector<Point>& points);
  Steinberg::int32 PLUGIN_API getParameterCount() override { return static_cast<Steinberg::int32>(queues.size()); }
  Queue* PLUGIN_API getParameterData(Steinberg::int32 index) override;
  Queue* PLUGIN_API addParameterData(const Steinberg::Vst::ParamID& id, Steinberg::int32& index) override;

  std::vector<Queue> queues;

 private:
  std::vector<std::vector<Point>> spare_points_;  // the plugin's output parameters must not allocate
};

class Stream final : public Owned<Steinberg::IBStream> {
 public:
  Steinberg::tresult PLUGIN_API read(void* to, Steinberg::int32 bytes, Steinberg::int32* done) override;
  Steinberg::tresult PLUGIN_API write(void* from, Steinberg::int32 bytes, Steinberg::int32* done) override;
  Steinberg::tresult PLUGIN_API seek(Steinberg::int64 position, Steinberg::int32 mode,
                                     Steinberg::int64* result) override;
  Steinberg::tresult PLUGIN_API tell(Steinberg::int64* position) override;

  std::vector<char> data;

 private:
  std::size_t position_ = 0;
};

/// Notes what the plugin tells its host, from whatever thread.
class Handler final : public Owned<Steinberg::Vst::IComponentHandler> {
 public:
  Steinberg::tresult PLUGIN_API beginEdit(Steinberg::Vst::ParamID) override { return Steinberg::kResultOk; }
  Steinberg::tresult PLUGIN_API performEdit(Steinberg::Vst::ParamID, double) override { return Steinberg::kResultOk; }
  Steinberg::tresult PLUGIN_API endEdit(Steinberg::Vst::ParamID) override { return Steinberg::kResultOk; }
  Steinberg::tresult PLUGIN_API restartComponent(Steinberg::int32) override { return Steinberg::kResultOk; }
};

class Application final : public Owned<Steinberg::Vst::IHostApplication> {
 public:
  Steinberg::tresult PLUGIN_API getName(Steinberg::Vst::String128 name) override;
  Steinberg::tresult PLUGIN_API createInstance(Steinberg::TUID, Steinberg::TUID, void** obj) override {
    *obj = nullptr;
    return Steinberg::kNoInterface;  // component and controller are connected directly
  }
};

class Plugin {
 public:
  explicit Plugin(const std::string& binary);  // throws std::runtime_error
  ~Plugin();
  Plugin(const Plugin&) = delete;
  Plugin& operator=(const Plugin&) = delete;

  bool arrange(std::uint64_t input, std::uint64_t output);
  std::uint64_t arrangement(bool is_input);
  void set_up(double sample_rate, int max_block_frames);
  void start(double sample_rate, int max_block_frames);
  void stop();
  /// `inputs` and `outputs` may be the same pointers, or null; `returned` takes the output parameters.
  Steinberg::tresult process(float** inputs, int input_channels, float** outputs, int output_channels, int frames,
                             Changes& points, Changes& returned, int sample_size = Steinberg::Vst::kSample32);

  Steinberg::Vst::IComponent* component = nullptr;
  Steinberg::Vst::IAudioProcessor* processor = nullptr;
  Steinberg::Vst::IEditController* controller = nullptr;

 private:
  Steinberg::Vst::IConnectionPoint* connection(Steinberg::FUnknown* of);
  void connect(bool is_on);

  void* library_ = nullptr;
  Application application_;
  Handler handler_;
  bool is_started_ = false;
};

}  // namespace vst3_host
