// The library of an LV2 bundle that lies beside the VST3 bundle: the plugins and their window.
#include <limits.h>
#include <stddef.h>
#include <stdint.h>

#include "forward.h"

typedef const void* (*Descriptor)(uint32_t index);

static const void* described(const char* name, uint32_t index) {
  char folder[PATH_MAX];
  if (!forestage_own_file(folder)) return NULL;
  forestage_to_parent(folder);
  const Descriptor descriptor = (Descriptor)forestage_function(folder, name);
  return descriptor != NULL ? descriptor(index) : NULL;
}

const void* lv2_descriptor(uint32_t index);
const void* lv2_descriptor(uint32_t index) { return described("lv2_descriptor", index); }

const void* lv2ui_descriptor(uint32_t index);
const void* lv2ui_descriptor(uint32_t index) { return described("lv2ui_descriptor", index); }
