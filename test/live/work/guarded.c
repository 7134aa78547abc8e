/* A USDT probe behind its semaphore. Fires as often as each line of standard input says, and answers with the semaphore. */
#include <stdio.h>
#include <stdlib.h>
#define _SDT_HAS_SEMAPHORES 1
#include <sys/sdt.h>

__extension__ volatile unsigned short guarded_round_semaphore __attribute__((section(".probes")));

int main(int argc, char **argv) {
  char line[32];
  setvbuf(stdout, NULL, _IOLBF, 0);
  while (fgets(line, sizeof line, stdin)) {
    long rounds = atol(line);
    for (long i = 0; i < rounds; i++)
      if (guarded_round_semaphore) STAP_PROBE1(guarded, round, i);
    printf("%d\n", guarded_round_semaphore);
  }
  return argc > 9;
}
