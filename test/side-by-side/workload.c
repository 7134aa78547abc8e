// Deterministic work for comparing tracers: every call and argument is known.
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>
#if __has_include(<sys/sdt.h>)
#include <sys/sdt.h>
#else
#define DTRACE_PROBE2(provider, name, first, second)
#endif

struct point {
  int x;
  short y;
  unsigned char z[4];
  const char *name;
  struct point *next;
  unsigned int low : 3, high : 5;
};

__attribute__((noinline)) int work_number(long a, int b) {
  __asm__ volatile("" ::: "memory");
  return (int)a + b;
}

__attribute__((noinline)) int work_string(const char *text, unsigned long size) {
  __asm__ volatile("" ::: "memory");
  return (int)size - (text == 0);
}

__attribute__((noinline)) int work_struct(struct point *point) {
  __asm__ volatile("" ::: "memory");
  return point->x;
}

volatile long watched = 1;

// A tracer sees only pages that are in memory: strings are read once before they are passed.
static const char *touched(const char *text) {
  *(volatile const char *)text;
  return text;
}

int main(void) {
  // bpftrace 0.17 keeps what it prints in the order of one CPU's events.
  cpu_set_t here;
  CPU_ZERO(&here);
  CPU_SET(sched_getcpu(), &here);
  if (sched_setaffinity(0, sizeof here, &here) != 0) return 1;
  for (int i = 0; i < 10; i++) work_number(i, -i);
  for (int i = 1; i <= 4; i++) work_string(touched("hello") + i % 3, (unsigned long)i * 100);
  struct point second = {.x = -7, .y = 300, .z = {9, 8, 7, 6}, .name = touched("second"), .low = 2, .high = 21};
  struct point first = {.x = 42, .y = -2, .z = {1, 2, 3, 4}, .name = touched("first"), .next = &second, .low = 5, .high = 17};
  work_struct(&first);
  work_struct(&second);
  for (int i = 0; i < 123; i++) syscall(SYS_getppid);
  for (int i = 0; i < 11; i++) {
    DTRACE_PROBE2(work, step, i, touched("step"));
    watched = i;
  }
  int null = open(touched("/dev/null"), O_WRONLY);
  static char bytes[4096];
  for (int size = 1; size <= 4096; size *= 2)
    if (write(null, bytes, size) != size) return 1;
  return null < 0;
}
