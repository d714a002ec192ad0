// Where the standalone program enters the binary of all formats.
#include <stdio.h>
#include <stdlib.h>

#include "alsa.h"

int main(int argc, char** argv);  // JUCE's

__attribute__((visibility("default"))) int forestage_standalone(int argc, char** argv);
int forestage_standalone(int argc, char** argv) {
  if (getenv("DISPLAY") == NULL) {
    fputs("Forestage: the standalone has a window and needs an X display; DISPLAY is not set\n", stderr);
    return EXIT_FAILURE;
  }
  if (!forestage_open_alsa()) {
    fputs("Forestage: the standalone plays through ALSA, and there is no libasound.so.2 (Debian: libasound2)\n",
          stderr);
    return EXIT_FAILURE;
  }
  return main(argc, argv);
}
