// From above, to scale: the device and its drivers, the listener, the virtual pair, and where sounds are heard. A
// loudspeaker of the pair can be dragged to change the width.
#pragma once

#include <memory>

#include "design_view.hpp"
#include "panel.hpp"

namespace forestage::plugin {

class StageView final : public FramedPanel {
 public:
  explicit StageView(Desk& desk);

  void refresh() override;
  void resized() override;
  void mouseMove(const juce::MouseEvent& event) override;
  void mouseDown(const juce::MouseEvent& event) override;
  void mouseDrag(const juce::MouseEvent& event) override;
  void mouseUp(const juce::MouseEvent& event) override;

 private:
  struct Scene;
  void draw(juce::Graphics& graphics) override;
  void draw_beam(juce::Graphics& graphics, const Scene& at, juce::Colour colour) const;
  Scene scene() const;
  juce::Rectangle<int> picture_area() const;
  juce::Rectangle<int> footer_area() const;
  bool is_on_pair(juce::Point<float> at) const;

  std::shared_ptr<const Preset> preset_;
  DesignView view_;
  float width_deg_ = 0.0f;
  Monitor monitor_ = Monitor::headphones;
  Slot slot_ = Slot::a;
  bool is_dragged_ = false;
  juce::Slider frequency_;  // at which the beam is drawn, as an index
  BeamPicture beam_;
  ParamValues values_{};
};

}  // namespace forestage::plugin
