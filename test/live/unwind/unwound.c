// Known stacks without frame pointers. Each ends in a system call (getppid) made by `leaf` itself.
#define _GNU_SOURCE
#include <alloca.h>
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define NOINLINE __attribute__((noinline, noclone))

volatile long sink;

NOINLINE long kernel(long number, long first, long second) {
  long result;
  __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(first), "S"(second) : "rcx", "r11", "memory");
  return result;
}

NOINLINE void leaf(void) {
  long result;
  __asm__ volatile("syscall" : "=a"(result) : "a"(SYS_getppid) : "rcx", "r11", "memory");
  sink += result;
}

// Through a library: two elements are compared once.
NOINLINE int compare(const void *a, const void *b) { leaf(); sink++; return *(const int *)a - *(const int *)b; }
NOINLINE void sorter(void) { int v[2] = {2, 1}; qsort(v, 2, sizeof *v, compare); sink += v[0]; }
// A frame of a size that is not known before.
NOINLINE void sized(int bytes) { char *m = alloca(bytes); memset(m, 1, bytes); sorter(); sink += m[bytes / 2]; }
// A frame that is moved to a boundary.
NOINLINE void aligned(int bytes) {
  char room[64] __attribute__((aligned(64)));
  memset(room, bytes, sizeof room);
  char *more = alloca(bytes);
  memset(more, 2, bytes);
  sized(bytes);
  sink += room[bytes % 64] + more[1];
}
// A big one.
NOINLINE void roomy(int bytes) { char m[40000]; memset(m, bytes, sizeof m); aligned(bytes); sink += m[bytes]; }

NOINLINE void chains(int times) { for (int i = 0; i < times; i++) { roomy(32 + i % 8); sink++; } }

NOINLINE void work(long times) { for (long i = 0; i < times; i++) { leaf(); sink++; } }
static void *start(void *times) { work((long)times); return NULL; }
static int in_thread(int times) {
  pthread_t thread;
  return pthread_create(&thread, NULL, start, (void *)(long)times) || pthread_join(thread, NULL);
}

NOINLINE void handler(int signal) { leaf(); sink += signal; }
NOINLINE void interrupted(int times) {
  for (int i = 0; i < times; i++) kernel(SYS_tkill, gettid(), SIGUSR1);
}
NOINLINE void signals(int times, int elsewhere) {
  static char other[65536];
  stack_t stack = {.ss_sp = other, .ss_size = sizeof other};
  struct sigaction action = {.sa_handler = handler, .sa_flags = elsewhere ? SA_ONSTACK : 0};
  if (elsewhere) sigaltstack(&stack, NULL);
  sigaction(SIGUSR1, &action, NULL);
  interrupted(times);
}

// Until the tracer has seen what is new.
static void linger(void) {
  const char *milliseconds = getenv("UNWIND_LINGER");
  usleep(1000 * (milliseconds ? atoi(milliseconds) : 300));
}

// Code made at run time that has a frame pointer: push %rbp; mov %rsp,%rbp; movabs leaf,%rax; call *%rax; pop %rbp; ret
static int made(int times) {
  unsigned char *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (code == MAP_FAILED) return 1;
  memcpy(code, "\x55\x48\x89\xe5\x48\xb8________\xff\xd0\x5d\xc3", 18);
  void (*target)(void) = leaf;
  memcpy(code + 6, &target, 8);
  linger();
  for (int i = 0; i < times; i++) { ((void (*)(void))code)(); sink++; }
  return 0;
}

static int plugin(const char *path, int times) {
  void *library = dlopen(path, RTLD_NOW);
  if (!library) return 1;
  void (*call)(void (*)(void)) = dlsym(library, "plugged");
  linger();
  for (int i = 0; i < times; i++) { call(leaf); sink++; }
  return 0;
}

NOINLINE void sleeper(int times) {
  struct timespec short_time = {0, 20000000};
  for (int i = 0; i < times; i++) { kernel(SYS_nanosleep, (long)&short_time, 0); sink++; }
}

// Busy in the vdso, in a library, and here, for milliseconds of CPU.
NOINLINE void spin(int milliseconds) {
  struct timespec now, used;
  do {
    for (int i = 0; i < 100; i++) {
      clock_gettime(CLOCK_MONOTONIC, &now);
      sorter();
    }
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  } while (used.tv_sec * 1000 + used.tv_nsec / 1000000 < milliseconds);
}

int main(int count, char **args) {
  if (count < 3) return 2;
  int times = atoi(args[2]);
  const char *what = args[1];
  // Waits for a line, so that others may look first.
  if (count > 3 && strcmp(args[3], "wait") == 0) { char line[8]; if (read(0, line, sizeof line) < 0) return 1; }
  if (strcmp(what, "chain") == 0) chains(times);
  else if (strcmp(what, "again") == 0) return execl("/proc/self/exe", "unwound", "late", args[2], NULL);
  else if (strcmp(what, "late") == 0) { linger(); chains(times); }
  else if (strcmp(what, "thread") == 0) return in_thread(times);
  else if (strcmp(what, "signal") == 0) signals(times, 0);
  else if (strcmp(what, "altstack") == 0) signals(times, 1);
  else if (strcmp(what, "made") == 0) return made(times);
  else if (strcmp(what, "plugin") == 0) return plugin(args[3], times);
  else if (strcmp(what, "sleep") == 0) sleeper(times);
  else if (strcmp(what, "spin") == 0) spin(times);
  else return 2;
  return 0;
}
