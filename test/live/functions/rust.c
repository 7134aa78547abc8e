// Functions with the names that Rust's compilers give: those of v0, and those of before with a hash at the end.
#include <stdlib.h>

#define NAMED(symbol) __asm__(symbol) __attribute__((noinline, used, noipa))

long main_of_app(long value) NAMED("_RNvCs6xxl1lAjzDf_3app4work");
long generic_u32(long value) NAMED("_RINvCs6xxl1lAjzDf_3app7generictE");
long generic_str(long value) NAMED("_RINvCs6xxl1lAjzDf_3app7genericReE");
long legacy(long value) NAMED("_ZN3app4pool5Queue3pop17h0123456789abcdefE");

static volatile long sink;

long main_of_app(long value) { return sink += value; }
long generic_u32(long value) { return sink -= value; }
long generic_str(long value) { return sink ^= value; }
long legacy(long value) { return sink += 2 * value; }

int main(int argc, char **argv) {
  int n = argc > 1 ? atoi(argv[1]) : 1;
  for (int i = 0; i < n; i++) {
    main_of_app(i);
    generic_u32(i);
    generic_u32(i);
    generic_str(i);
    legacy(i);
  }
  return 0;
}
