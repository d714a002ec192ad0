// The library of an LV2 bundle that lies beside the VST3 bundle.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>

#include "forward.h"

typedef const void* (*Descriptor)(uint32_t index);

static const void* described(const char* function_name, uint32_t index) {
  Dl_info own;
  char folder[PATH_MAX];
  if (dladdr(&described, &own) == 0 || realpath(own.dli_fname, folder) == NULL) return NULL;
  forestage_to_parent(folder);
  const Descriptor descriptor = (Descriptor)forestage_function(folder, function_name);
  return descriptor != NULL ? descriptor(index) : NULL;
}

const void* lv2_descriptor(uint32_t index);
const void* lv2_descriptor(uint32_t index) { return described("lv2_descriptor", index); }

const void* lv2ui_descriptor(uint32_t index);
const void* lv2ui_descriptor(uint32_t index) { return described("lv2ui_descriptor", index); }
