// Functions of a program called known numbers of times: by the first thread, by another, and by a child.
//
// user COUNT [wait]: with "wait" it says "ready" and begins when it is sent a line.
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define KEEP __attribute__((noinline, used, noclone, noipa))

static volatile long sink;

KEEP long user_alpha(long value) {
  sink += value;
  return value * 2;
}

KEEP long user_beta(long value) {
  sink -= value;
  return value * 3;
}

static KEEP long user_hidden(long value) {
  sink ^= value;
  return value + 1;
}

KEEP long user_in_thread(long value) {
  sink += value;
  return value;
}

KEEP long user_in_child(long value) {
  sink += value;
  return value;
}

static int count;

static void *in_thread(void *unused) {
  for (int i = 0; i < count; i++) user_in_thread(i);
  return unused;
}

int main(int argc, char **argv) {
  count = argc > 1 ? atoi(argv[1]) : 1;
  if (argc > 2 && strcmp(argv[2], "wait") == 0) {
    char line[16];
    puts("ready");
    fflush(stdout);
    if (!fgets(line, sizeof line, stdin)) return 0;
  }
  for (int i = 0; i < count; i++) {
    user_alpha(i);
    user_beta(i);
    user_beta(i);
    user_hidden(i);
  }
  pthread_t thread;
  pthread_create(&thread, NULL, in_thread, NULL);
  pthread_join(thread, NULL);
  pid_t child = fork();
  if (child == 0) {
    for (int i = 0; i < count; i++) user_in_child(i);
    _exit(0);
  }
  waitpid(child, NULL, 0);
  return 0;
}
