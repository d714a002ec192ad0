// The library of "Forestage Drivers.vst3", which lies beside Forestage.vst3 and hands out the variants in it.
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "forward.h"

typedef bool (*Entry)(void* library);
typedef bool (*Exit)(void);
typedef void* (*Factory)(void);

static void* function(const char* name) {
  char folder[PATH_MAX];
  if (!forestage_own_file(folder)) return NULL;
  for (int i = 0; i < 4; ++i) forestage_to_parent(folder);  // Forestage Drivers.vst3/Contents/<architecture>/<file>
  return forestage_function(folder, name);
}

bool ModuleEntry(void* library);
bool ModuleEntry(void* library) {
  const Entry entry = (Entry)function("ModuleEntry");
  return entry != NULL && entry(library);
}

bool ModuleExit(void);
bool ModuleExit(void) {
  const Exit leave = (Exit)function("ModuleExit");
  return leave != NULL && leave();
}

void* GetPluginFactory(void);
void* GetPluginFactory(void) {
  const Factory factory = (Factory)function("forestage_variants");
  return factory != NULL ? factory() : NULL;
}
