#include "stage_view.hpp"

#include <algorithm>
#include <cmath>

namespace forestage::plugin {
namespace {

constexpr int title_height = 22;
constexpr int footer_height = 36;
constexpr int footer_row = 20;  // the second one
constexpr double usual_distance_m = 2.0;
constexpr double usual_head_m = 0.0875;
constexpr float pair_size = 18.0f;
constexpr float usual_beam_hz = 1000.0f;
constexpr double beam_range_db = 30.0;
constexpr double reference_deg = 30.0;  // of the ideal pair
constexpr float ray_share = 0.8f;       // of the way to where sounds are heard
constexpr float reach = 16.0f;          // of a pointer that takes hold of a loudspeaker

juce::String degrees(double value) { return juce::String(juce::roundToInt(value)) + juce::String::fromUTF8("\u00b0"); }

}  // namespace

/// Metres to pixels, the listener below and the device above.
struct StageView::Scene {
  juce::Point<float> listener;
  float pixels_per_m;
  double distance_m;

  /// Of a point x m towards the listener and y m to the left, from the device.
  juce::Point<float> place(double x_m, double y_m) const {
    return {listener.x - static_cast<float>(y_m) * pixels_per_m,
            listener.y - static_cast<float>(distance_m - x_m) * pixels_per_m};
  }
  /// As far from the listener as the device, at an azimuth that is positive to the left.
  juce::Point<float> at(double azimuth_deg, double share = 1.0) const {
    const double radians = juce::degreesToRadians(azimuth_deg);
    const double radius = share * distance_m * pixels_per_m;
    return {listener.x - static_cast<float>(radius * std::sin(radians)),
            listener.y - static_cast<float>(radius * std::cos(radians))};
  }
};

StageView::StageView(Desk& desk) : FramedPanel(desk) {
  setTitle("Stage");
  setDescription("The device, the listener and the virtual pair from above; Stage Width is the knob of the same name.");
  frequency_.setSliderStyle(juce::Slider::LinearBar);
  frequency_.setTitle("Frequency of the beam");
  frequency_.setTooltip("The frequency at which the beam of the center is drawn: drag it.");
  frequency_.setWantsKeyboardFocus(true);
  frequency_.textFromValueFunction = [this](double index) {
    const auto i = static_cast<std::size_t>(index);
    return i < beam_.frequency_hz.size() ? "beam at " + juce::String(juce::roundToInt(beam_.frequency_hz[i])) + " Hz"
                                         : juce::String("no beam known");
  };
  frequency_.onValueChange = [this] { repaint(picture_area()); };
  addAndMakeVisible(frequency_);
}

void StageView::resized() {
  frequency_.setBounds(getLocalBounds().reduced(Theme::margin, 4).removeFromTop(title_height).removeFromRight(130));
}

StageView::Scene StageView::scene() const {
  const auto area =
      getLocalBounds().withTrimmedTop(title_height).withTrimmedBottom(footer_height).reduced(14).toFloat();
  const double distance_m = std::max(0.05, view_.distance_m.value_or(usual_distance_m));
  double widest_m = distance_m;  // to either side: a pair at 90 degrees
  double behind_m = 0.0;
  for (const auto& driver : view_.drivers) {
    widest_m = std::max(widest_m, std::abs(driver.y_m));
    behind_m = std::max(behind_m, -driver.x_m);
  }
  behind_m = std::max(behind_m, view_.body_radius_m.value_or(0.0));
  const double head_m = view_.head_radius_m.value_or(usual_head_m);
  const double tall_m = distance_m + behind_m + 2.0 * head_m;
  const auto scale =
      static_cast<float>(std::min(area.getHeight() / tall_m, static_cast<double>(area.getWidth()) / (2.0 * widest_m)));
  return {{area.getCentreX(), area.getBottom() - static_cast<float>(head_m) * scale - 4.0f}, scale, distance_m};
}

void StageView::refresh() {
  const Slot slot = desk_.slot();
  const auto preset = desk_.preset(slot);
  const bool have_moved = desk_.follow_knobs(values_);
  const auto monitor = static_cast<Monitor>(static_cast<int>(desk_.value(Param::monitor)));
  const bool is_new = preset != preset_ || slot != slot_ || monitor != monitor_;
  if (!is_new && !have_moved) return;
  monitor_ = monitor;
  if (preset != preset_) view_ = preset != nullptr ? design_view(*preset) : DesignView{};
  preset_ = preset;
  width_deg_ = desk_.value(Param::stage_width_deg);
  slot_ = slot;
  ParamStore knobs;
  desk_.copy_knobs(knobs);
  const PresetCurves* curves = desk_.curves(slot);
  const auto known = beam_.frequency_hz;
  beam_ = curves != nullptr ? curves->beam_picture(knobs) : BeamPicture{};
  if (beam_.frequency_hz != known) {
    const auto count = static_cast<double>(beam_.frequency_hz.size());
    frequency_.setVisible(!beam_.is_empty());
    frequency_.setRange(0.0, std::max(1.0, count - 1.0), 1.0);
    const auto usual = std::ranges::lower_bound(beam_.frequency_hz, usual_beam_hz) - beam_.frequency_hz.begin();
    frequency_.setValue(static_cast<double>(usual), juce::dontSendNotification);
    frequency_.updateText();
  }
  if (is_new) return repaint();
  repaint(picture_area());  // the title and what is heard stay
  repaint(footer_area().removeFromBottom(footer_row));
}

juce::Rectangle<int> StageView::picture_area() const {
  return getLocalBounds().withTrimmedTop(title_height + 4).withTrimmedBottom(footer_height + 6).reduced(4, 0);
}

juce::Rectangle<int> StageView::footer_area() const {
  return getLocalBounds().reduced(Theme::margin, 6).removeFromBottom(footer_height);
}

/// Around the device, most of the way to the listener where it is loudest.
void StageView::draw_beam(juce::Graphics& graphics, const Scene& at, juce::Colour colour) const {
  const auto frequency = static_cast<std::size_t>(frequency_.getValue());
  if (beam_.is_empty() || frequency >= beam_.frequency_hz.size()) return;
  const auto device = at.place(0.0, 0.0);
  const float room = device.y - static_cast<float>(title_height + Theme::margin);  // above it
  const float radius = std::min(0.6f * static_cast<float>(at.distance_m) * at.pixels_per_m, room);
  double most_db = -1000.0;
  for (const auto& direction : beam_.level_db) most_db = std::max(most_db, direction[frequency]);
  juce::Path path;
  for (std::size_t a = 0; a < beam_.azimuth_deg.size(); ++a) {
    const double db = beam_.level_db[a][frequency] - most_db;
    const auto length = radius * static_cast<float>(std::clamp(1.0 + db / beam_range_db, 0.02, 1.0));
    const float turn = juce::degreesToRadians(beam_.azimuth_deg[a]);
    const juce::Point<float> point(device.x - length * std::sin(turn), device.y + length * std::cos(turn));
    if (a == 0) {
      path.startNewSubPath(point);
    } else {
      path.lineTo(point);
    }
  }
  path.closeSubPath();
  path = path.createPathWithRoundedCorners(8.0f);
  graphics.setColour(colour.withAlpha(0.12f));
  graphics.fillPath(path);
  graphics.setColour(colour.withAlpha(0.6f));
  graphics.strokePath(path, juce::PathStrokeType(1.2f));
}

void StageView::draw(juce::Graphics& graphics) {
  const Palette& colours = palette();
  graphics.setColour(colours.text);
  graphics.setFont(Theme::bold_font());
  auto area = getLocalBounds().reduced(Theme::margin, 4);
  graphics.drawText("Stage, from above", area.removeFromTop(title_height), juce::Justification::centredLeft);
  const Scene at = scene();
  const auto own = slot_ == Slot::a ? colours.slot_a : colours.slot_b;

  // The circle on which the pair stands
  const float radius = static_cast<float>(at.distance_m) * at.pixels_per_m;
  juce::Path circle;
  circle.addCentredArc(at.listener.x, at.listener.y, radius, radius, 0.0f, -juce::MathConstants<float>::halfPi,
                       juce::MathConstants<float>::halfPi, true);
  graphics.setColour(colours.outline);
  graphics.strokePath(circle, juce::PathStrokeType(1.0f));

  {
    const juce::Graphics::ScopedSaveState clipped(graphics);
    graphics.reduceClipRegion(picture_area());
    draw_beam(graphics, at, own);
  }

  // Where sounds are heard
  const auto ray = [&](std::optional<double> azimuth_deg, juce::Colour colour, bool is_dashed, bool is_heard) {
    if (!azimuth_deg) return;
    const juce::Line<float> line(at.listener, at.at(std::clamp(*azimuth_deg, -90.0, 90.0), ray_share));
    graphics.setColour(colour);
    constexpr float dashes[] = {4.0f, 4.0f};
    const float width = is_heard ? 2.5f : 1.2f;
    if (is_dashed)
      graphics.drawDashedLine(line, dashes, 2, width);
    else
      graphics.drawLine(line, width);
    const float dot = is_heard ? 9.0f : 5.0f;
    graphics.fillEllipse(juce::Rectangle<float>(dot, dot).withCentre(line.getEnd()));
  };
  const bool is_plain = monitor_ == Monitor::headphones_plain;
  const bool is_reference = monitor_ == Monitor::headphones_reference;
  const bool is_design = !is_plain && !is_reference;
  ray(view_.plain_left_deg, colours.plain, true, is_plain);
  ray(view_.plain_right_deg, colours.plain, true, is_plain);
  ray(view_.heard_left_deg, own, false, is_design);
  ray(view_.heard_right_deg, own, false, is_design);
  if (is_reference) {
    ray(reference_deg, colours.target, false, true);
    ray(-reference_deg, colours.target, false, true);
  }

  // The virtual pair
  for (const double side : {1.0, -1.0}) {
    const auto place = at.at(side * width_deg_);
    juce::Path speaker;
    speaker.addRectangle(juce::Rectangle<float>(pair_size * 0.8f, pair_size).withCentre({0, 0}));
    const auto turn = juce::AffineTransform::rotation(static_cast<float>(-side * juce::degreesToRadians(width_deg_)))
                          .translated(place);
    graphics.setColour(own.withAlpha(is_dragged_ ? 0.5f : 0.25f));
    graphics.fillPath(speaker, turn);
    graphics.setColour(own);
    graphics.strokePath(speaker, juce::PathStrokeType(1.5f), turn);
    graphics.setColour(colours.text);
    graphics.setFont(Theme::small_font());
    graphics.drawText(side > 0 ? "L" : "R", juce::Rectangle<float>(20, 14).withCentre(place),
                      juce::Justification::centred);
  }

  // The device
  graphics.setColour(colours.text);
  if (view_.body_radius_m) {
    const auto size = 2.0f * static_cast<float>(*view_.body_radius_m) * at.pixels_per_m;
    graphics.drawEllipse(juce::Rectangle<float>(size, size).withCentre(at.place(0, 0)), 1.5f);
  } else if (view_.drivers.size() > 1) {
    juce::Rectangle<float> box(at.place(view_.drivers[0].x_m, view_.drivers[0].y_m),
                               at.place(view_.drivers[0].x_m, view_.drivers[0].y_m));
    for (const auto& driver : view_.drivers) {
      const auto place = at.place(driver.x_m, driver.y_m);
      box = box.getUnion(juce::Rectangle<float>(place, place).expanded(0.01f));
    }
    graphics.drawRoundedRectangle(box.expanded(7.0f, 5.0f), 4.0f, 1.5f);
  }
  for (const auto& driver : view_.drivers) {
    graphics.fillEllipse(juce::Rectangle<float>(6.0f, 6.0f).withCentre(at.place(driver.x_m, driver.y_m)));
  }

  // The listener, nose up
  const float head = std::max(7.0f, static_cast<float>(view_.head_radius_m.value_or(usual_head_m)) * at.pixels_per_m);
  juce::Path listener;
  listener.addEllipse(juce::Rectangle<float>(2 * head, 2 * head).withCentre(at.listener));
  listener.addTriangle(at.listener.x - head * 0.3f, at.listener.y - head * 0.9f, at.listener.x + head * 0.3f,
                       at.listener.y - head * 0.9f, at.listener.x, at.listener.y - head * 1.4f);
  graphics.fillPath(listener);

  area = footer_area();
  graphics.setFont(Theme::small_font());
  const auto heard = [](const std::optional<double>& left, const std::optional<double>& right) {
    return left ? degrees(*left) + " / " + degrees(right ? -*right : *left) : juce::String("an unknown angle");
  };
  // What plays comes first
  const auto design = "heard at " + heard(view_.heard_left_deg, view_.heard_right_deg);
  const auto plain = heard(view_.plain_left_deg, view_.plain_right_deg);
  const auto now = is_plain       ? "Plain device: left/right heard at " + plain
                   : is_reference ? "Reference: left/right heard at " + heard(reference_deg, -reference_deg)
                                  : "Left/right " + design;
  graphics.setColour(colours.text);
  graphics.drawText(now, area.removeFromTop(footer_height - footer_row), juce::Justification::centredLeft, true);
  graphics.setColour(colours.dim_text);
  const bool is_other_known = is_design ? view_.plain_left_deg.has_value() : view_.heard_left_deg.has_value();
  const auto other = !is_other_known ? juce::String() : (is_design ? "plain " + plain : "design " + design) + ", ";
  graphics.drawText(other + "pair at " + degrees(width_deg_) + ", seat at " + juce::String(at.distance_m, 2) + " m",
                    area, juce::Justification::centredLeft, true);
}

bool StageView::is_on_pair(juce::Point<float> point) const {
  const Scene at = scene();
  return point.getDistanceFrom(at.at(width_deg_)) < reach || point.getDistanceFrom(at.at(-width_deg_)) < reach;
}

void StageView::mouseMove(const juce::MouseEvent& event) {
  setMouseCursor(is_on_pair(event.position) ? juce::MouseCursor::LeftRightResizeCursor
                                            : juce::MouseCursor::NormalCursor);
}

void StageView::mouseDown(const juce::MouseEvent& event) {
  is_dragged_ = is_on_pair(event.position);
  if (is_dragged_) desk_.begin(Param::stage_width_deg);
  repaint();
}

void StageView::mouseDrag(const juce::MouseEvent& event) {
  if (!is_dragged_) return;
  const auto from_listener = event.position - scene().listener;
  const double angle_deg = juce::radiansToDegrees(std::atan2(std::abs(from_listener.x), -from_listener.y));
  desk_.set(Param::stage_width_deg, static_cast<float>(std::clamp(angle_deg, 0.0, 90.0)));
}

void StageView::mouseUp(const juce::MouseEvent&) {
  if (is_dragged_) desk_.end(Param::stage_width_deg);
  is_dragged_ = false;
  repaint();
}

}  // namespace forestage::plugin
