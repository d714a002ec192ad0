#define _GNU_SOURCE
#include "forward.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char binary[] = "Forestage.vst3/Contents/" FORESTAGE_ARCHITECTURE "-linux/Forestage.so";

int forestage_own_file(char path[PATH_MAX]) {
  Dl_info own;
  return dladdr(&binary, &own) != 0 && realpath(own.dli_fname, path) != NULL;
}

void forestage_to_parent(char* path) {
  char* slash = strrchr(path, '/');
  if (slash != NULL) *slash = '\0';
}

/// True where there is a binary, whether it can be loaded or not.
static int try_folder(const char* root, const char* folder, void** library) {
  char path[PATH_MAX];
  const int length = snprintf(path, sizeof path, "%s%s/%s", root, folder, binary);
  if (length < 0 || length >= (int)sizeof path || access(path, F_OK) != 0) return 0;
  *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (*library == NULL) fprintf(stderr, "Forestage: %s\n", dlerror());
  return 1;
}

void* forestage_function(const char* from_folder, const char* name) {
  const char* home = getenv("HOME");
  void* library = NULL;
  if (!try_folder(from_folder, "", &library) && !try_folder(from_folder, "/..", &library) &&
      !(home != NULL && try_folder(home, "/.vst3", &library)) && !try_folder("/usr/local/lib/vst3", "", &library) &&
      !try_folder("/usr/lib/vst3", "", &library)) {
    fprintf(stderr,
            "Forestage: Forestage.vst3 is neither beside %s nor in ~/.vst3, /usr/local/lib/vst3 or /usr/lib/vst3; "
            "`forestage install-plugin` installs all that is needed\n",
            from_folder);
  }
  if (library == NULL) return NULL;
  void* function = dlsym(library, name);
  if (function == NULL) fprintf(stderr, "Forestage: %s; its version is another one\n", dlerror());
  return function;
}
