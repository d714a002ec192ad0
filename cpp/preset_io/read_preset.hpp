// Tree -> Preset: the rows of preset_fields.hpp, then the checks across fields. Shared by preset files and states.
#pragma once

#include <string>
#include <string_view>

#include "errors.hpp"
#include "headphone_eq.hpp"
#include "preset.hpp"

namespace forestage::preset_detail {

Preset read_preset(const json& node, const Path& path);
HeadphoneEq read_headphone_eq(const json& node, const Path& path);

/// A required key of an object.
const json& member(const json& node, std::string_view key, const Path& path);
const json& object(const json& node, const Path& path);

/// A whole number from 1, which may be newer than `newest`.
void check_is_version(const json& node, int newest, const Path& path);
/// The same to `newest`; newer ones ask for an update.
void check_version(const json& node, int newest, const Path& path);

/// What no single row can say: numbers of rows that must agree, delays within filters, one filter set per rate.
void check_preset(const Preset& preset, const Path& path);

/// The same of equalisers.
void check_eq(const ParametricEq& eq, const Path& path);
void check_eq(const EarEqs& eqs, const Path& path);
void check_eq(const FirEq& eq, const Path& path);

/// "44100, 48000, ... Hz"
std::string required_rates_text();

}  // namespace forestage::preset_detail
