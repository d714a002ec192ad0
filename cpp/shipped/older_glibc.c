// What keeps a binary that is built on Debian 12 from running where glibc is older, and archives from being linked into
// shared libraries; the linker's --wrap sends the names here.
#include <stdio.h>

// glibc 2.35 gave hypot a version of its own because it no longer calls matherr; the one before computes the same bits.
#if defined(__x86_64__)
#define FIRST_GLIBC "GLIBC_2.2.5"
#elif defined(__aarch64__)
#define FIRST_GLIBC "GLIBC_2.17"
#endif

double first_hypot(double, double);
float first_hypotf(float, float);
__asm__(".symver first_hypot, hypot@" FIRST_GLIBC);
__asm__(".symver first_hypotf, hypotf@" FIRST_GLIBC);

double __wrap_hypot(double x, double y);
float __wrap_hypotf(float x, float y);
double __wrap_hypot(double x, double y) { return first_hypot(x, y); }
float __wrap_hypotf(float x, float y) { return first_hypotf(x, y); }

// Debian's archives are made for programs, which may reach the C library's variables directly: here is one in reach.
extern FILE* __wrap_stderr;
extern FILE* __real_stderr;
FILE* __wrap_stderr;
__attribute__((constructor(101))) static void point_at_stderr(void) { __wrap_stderr = __real_stderr; }
