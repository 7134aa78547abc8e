// Known stacks. Each ends in a system call (getppid) made by `leaf` itself, below middle and outer.
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOINLINE __attribute__((noinline, noclone))
// Asking for the frame makes one, also in a function that calls no other.
#define KEEP __asm__ volatile("" : : "r"(__builtin_frame_address(0)) : "memory")

static inline void call_kernel(void) {
#if defined(__x86_64__)
  long result;
  __asm__ volatile("syscall" : "=a"(result) : "a"(SYS_getppid) : "rcx", "r11", "memory");
#else
  register long x8 __asm__("x8") = SYS_getppid;
  register long x0 __asm__("x0");
  __asm__ volatile("svc 0" : "=r"(x0) : "r"(x8) : "memory");
#endif
}

static NOINLINE void leaf(void) { KEEP; call_kernel(); KEEP; }
static NOINLINE void middle(void) { leaf(); KEEP; }
static NOINLINE void outer(void) { middle(); KEEP; }

// Another stack for every number: its bits choose the callers.
static NOINLINE void choose(unsigned bits, int depth);
static NOINLINE void left(unsigned bits, int depth) { choose(bits, depth); KEEP; }
static NOINLINE void right(unsigned bits, int depth) { choose(bits, depth); KEEP; }
static NOINLINE void choose(unsigned bits, int depth) {
  if (depth == 0) leaf();
  else if (bits & 1) right(bits >> 1, depth - 1);
  else left(bits >> 1, depth - 1);
  KEEP;
}

// Says "ready" and waits for a line. At the end of the input there is none.
static int told(void) {
  char line[8];
  if (write(1, "ready\n", 6) < 0) return 0;
  return read(0, line, sizeof line) > 0;
}

// Until everybody has looked.
static void linger(void) { told(); }

// Code made at run time (x86-64), and the map that tells of it; `owner` is whose the map is to be.
static int made_code(int times, int owner) {
  unsigned char *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (code == MAP_FAILED) return 1;
  // push %rbp; mov %rsp,%rbp; mov $110,%eax; syscall; pop %rbp; ret
  memcpy(code, "\x55\x48\x89\xe5\xb8\x6e\x00\x00\x00\x0f\x05\x5d\xc3", 13);
  char path[64];
  snprintf(path, sizeof path, "/tmp/perf-%d.map", getpid());
  FILE *map = fopen(path, "w");
  if (!map) return 1;
  fprintf(map, "%lx d made_at_run_time\n", (unsigned long)code);
  fclose(map);
  if (chown(path, owner, -1)) return 1;
  for (int i = 0; i < times; i++) { ((void (*)(void))code)(); KEEP; }
  linger();
  unlink(path);
  return 0;
}

// Goes on when the first thread has ended, once it is told.
static void *go_on(void *times) {
  if (!told()) _exit(1);
  for (long i = 0; i < (long)times; i++) outer();
  linger();
  _exit(0);
}

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  const char *mode = argv[1];
  int times = atoi(argv[2]);
  if (!strcmp(mode, "calls")) {
    for (int i = 0; i < times; i++) outer();
  } else if (!strcmp(mode, "linger")) {
    for (int i = 0; i < times; i++) outer();
    linger();
  } else if (!strcmp(mode, "told")) {
    if (!told()) return 1;
    for (int i = 0; i < times; i++) outer();
  } else if (!strcmp(mode, "headless")) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, go_on, (void *)(long)times)) return 1;
    pthread_exit(NULL);
  } else if (!strcmp(mode, "becomes")) {
    if (!told()) return 1;
    execv(argv[3], argv + 3);
    return 1;
  } else if (!strcmp(mode, "memory")) {
    // The same program in a file that has no name, which lingers.
    static char bytes[4 << 20];
    int self = open("/proc/self/exe", O_RDONLY), file = memfd_create("known", 0);
    ssize_t length = read(self, bytes, sizeof bytes);
    char *next[] = {argv[0], "linger", argv[2], NULL};
    if (length <= 0 || write(file, bytes, length) != length) return 1;
    fexecve(file, next, environ);
    return 1;
  } else if (!strcmp(mode, "distinct")) {
    // In parts of so many.
    unsigned part = argc > 3 ? atoi(argv[3]) : 1u << times;
    for (unsigned i = 0; i < 1u << times; i++) {
      if (i && i % part == 0 && !told()) return 1;
      choose(i, times);
    }
  } else if (!strcmp(mode, "forks")) {
    for (int i = 0; i < times; i++) {
      if (fork() == 0) { outer(); _exit(0); }
      wait(NULL);
    }
  } else if (!strcmp(mode, "made")) {
    return made_code(times, argc > 3 ? atoi(argv[3]) : (int)getuid());
  } else return 2;
  return 0;
}
