// The standalone program.
#define _GNU_SOURCE
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "forward.h"

typedef int (*Program)(int argc, char** argv);

int main(int argc, char** argv) {
  char folder[PATH_MAX];
  if (realpath("/proc/self/exe", folder) == NULL && realpath(argv[0], folder) == NULL) {
    perror("Forestage: where it lies is not known");
    return EXIT_FAILURE;
  }
  forestage_to_parent(folder);
  const Program program = (Program)forestage_function(folder, "forestage_standalone");
  return program != NULL ? program(argc, argv) : EXIT_FAILURE;
}
