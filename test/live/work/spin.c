// Calls getppid as fast as it can: for so many milliseconds ("ms"), or so many times ("calls"); or a function of its own for so
// many milliseconds ("steps"). Says what CPU time the calls took.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static long long now(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static __attribute__((noinline)) long step(long i) {
  __asm__ volatile("");
  return i + 1;
}

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  int steps = strcmp(argv[1], "steps") == 0;
  int timed = steps || strcmp(argv[1], "ms") == 0;
  long amount = atol(argv[2]);
  long long begin = now(CLOCK_PROCESS_CPUTIME_ID);
  long long deadline = now(CLOCK_MONOTONIC) + amount * 1000000LL;
  for (long i = 0; timed ? now(CLOCK_MONOTONIC) < deadline : i < amount;) {
    long burst = timed ? 1000 : amount;
    for (long k = 0; k < burst; k++) {
      if (steps) {
        i = step(i);
        continue;
      }
      syscall(SYS_getppid);
      i++;
    }
  }
  printf("cpu %lld\n", now(CLOCK_PROCESS_CPUTIME_ID) - begin);
}
