// How the LV2 bundle's library, the variants' and the standalone program come to their code: it is in the VST3's binary,
// which has all formats, so that a package holds it once.
#pragma once

#include <limits.h>

/// A function of the VST3's binary, sought from a folder on and then where VST3 plugins are installed; null after a
/// message that says where was looked.
void* forestage_function(const char* from_folder, const char* name);

/// The file that this code is in, without links; 0 where that is not known.
int forestage_own_file(char path[PATH_MAX]);

/// Cuts the last name off a path, in place.
void forestage_to_parent(char* path);
