/*
 * Known work for the measurements.
 *   workload reads COUNT          COUNT reads of /dev/zero, sizes 1, 2, 4, … 4096 in turn
 *   workload pace RATE SECONDS    getppid() at RATE a second, in bursts of a millisecond; prints how many it made
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static long long now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static int reads(long count) {
  char buffer[4096];
  int fd = open("/dev/zero", O_RDONLY);
  for (long i = 0; i < count; i++)
    if (read(fd, buffer, 1L << (i % 13)) < 0) return 1;
  return 0;
}

static int pace(long rate, long seconds) {
  const long long start = now(), end = start + seconds * 1000000000LL;
  long made = 0;
  for (long long t = start; t < end; t = now()) {
    const long due = (t - start) * (rate / 1000) / 1000000 + rate / 1000;
    while (made < due) {
      syscall(SYS_getppid);
      made++;
    }
    while (now() < start + made * 1000000LL / (rate / 1000) && now() < end)
      ;
  }
  printf("%ld\n", made);
  return 0;
}

int main(int argc, char **argv) {
  if (argc == 3 && !strcmp(argv[1], "reads")) return reads(atol(argv[2]));
  if (argc == 4 && !strcmp(argv[1], "pace")) return pace(atol(argv[2]), atol(argv[3]));
  fprintf(stderr, "workload reads COUNT | pace RATE SECONDS\n");
  return 2;
}
