/* Memory that is written and read, and a function that is run, N times each by two threads: watched N */
#include <pthread.h>
#include <stdlib.h>

volatile long watched = -1;
volatile short neighbours[4] = {1, 2, 3, 4};
volatile long read_only = 5;

__attribute__((noinline)) void executed(void) { __asm__ volatile(""); }

static long sum;

static void *work(void *argument) {
  long rounds = (long)argument;
  for (long i = 0; i < rounds; i++) {
    watched = i;
    neighbours[2] = (short)i;
    sum += read_only;
    executed();
  }
  return NULL;
}

int main(int argc, char **argv) {
  long rounds = argc > 1 ? atol(argv[1]) : 1;
  pthread_t thread;
  work((void *)rounds);
  pthread_create(&thread, NULL, work, (void *)rounds);
  pthread_join(thread, NULL);
  return sum < 0;
}
