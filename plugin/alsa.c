#include "alsa.h"

#include <dlfcn.h>
#include <stddef.h>

#if defined(__x86_64__)
#define JUMP_TO(pointer) "jmp *" #pointer "(%rip)\n"
#elif defined(__aarch64__)
#define JUMP_TO(pointer) "adrp x16, " #pointer "\nldr x16, [x16, #:lo12:" #pointer "]\nbr x16\n"
#endif

#ifdef JUMP_TO

// For each a pointer, and a function of that name that goes on to where the pointer points, with all arguments.
#define FUNCTION(name)                                                                                       \
  __attribute__((visibility("hidden"))) void* forestage_##name;                                              \
  __asm__(".pushsection .text." #name ",\"ax\",%progbits\n.globl " #name "\n.hidden " #name "\n.type " #name \
          ", %function\n" #name ":\n" JUMP_TO(forestage_##name) ".size " #name ", . - " #name "\n.popsection\n");
#include "alsa_functions.h"
#undef FUNCTION

#define FUNCTION(name) {#name, &forestage_##name},
static const struct {
  const char* name;
  void** pointer;
} functions[] = {
#include "alsa_functions.h"
};

int forestage_open_alsa(void) {
  void* library = dlopen("libasound.so.2", RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) return 0;
  for (size_t i = 0; i < sizeof functions / sizeof functions[0]; ++i) {
    *functions[i].pointer = dlsym(library, functions[i].name);
    if (*functions[i].pointer == NULL) return 0;
  }
  return 1;
}

#else  // linked as usual

int forestage_open_alsa(void) { return 1; }

#endif
