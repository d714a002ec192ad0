// Equalisers of headphones as files: text (.txt) or impulse responses (.wav). Plugin and Python read them here.
#pragma once

#include <filesystem>

#include "headphone_eq.hpp"

namespace forestage {

/// Throws std::exception with a message a user can act on, which does not have the path.  [any but audio]
HeadphoneEq load_headphone_eq(const std::filesystem::path& file);

}  // namespace forestage
