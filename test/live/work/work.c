// Work of known size for the tests: one mode per argument, every call and value known.
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// noipa: callers must store what the callee, as far as the compiler sees, does not read.
#define NOINLINE __attribute__((noinline, noipa))
#define KEEP __asm__ volatile("" ::: "memory")

enum color { RED = 1, GREEN = 5 };

struct inner {
  int8_t tiny;
  uint16_t small;
};

struct item {
  int32_t id;
  uint32_t low : 3, middle : 7, high : 6;
  int32_t negative : 4;
  struct inner in;
  uint8_t bytes[4];
  int32_t numbers[3];
  char name[12];
  const char *text;
  struct item *next;
  union {
    uint32_t word;
    uint8_t octets[4];
  } u;
  enum color color;
  _Bool flag;
};

NOINLINE long add(long a, int b, short c, unsigned char d) {
  KEEP;
  return a + b + c + d;
}
NOINLINE int negative(int value) {
  KEEP;
  return -value;
}
NOINLINE size_t measure(const char *text, size_t size) {
  KEEP;
  return size + strlen(text);
}
NOINLINE int take(struct item *item) {
  KEEP;
  return item->id;
}
NOINLINE int leaf(int n) {
  KEEP;
  getppid();
  syscall(SYS_getpgid, 0);
  KEEP;
  return n + 1;
}
NOINLINE int middle(int n) {
  int r = leaf(n);
  KEEP;
  return r + 1;
}
NOINLINE int outer(int n) {
  int r = middle(n);
  KEEP;
  return r + 1;
}
NOINLINE void many_one(void) { KEEP; }
NOINLINE void many_two(void) { KEEP; }
NOINLINE void many_three(void) { KEEP; }

volatile int64_t global_number = 0x1122334455667788;
volatile uint16_t global_short = 4660;

// Probes see only what is in memory (which a forked child's program text is not yet): text is read before it is passed.
static const char *in_memory(const char *text) {
  for (volatile const char *p = text; *p; p++) {
  }
  return text;
}

static void nap(long milliseconds) {
  struct timespec t = {milliseconds / 1000, milliseconds % 1000 * 1000000};
  nanosleep(&t, NULL);
}

static void functions(int times) {
  for (int i = 0; i < times; i++) add(i, 10 * i, -i, 200 + i);
  for (int i = 0; i < times; i++) negative(i + 1);
  const char *words[] = {"one", "three", "longer than that"};
  for (int i = 0; i < 3; i++) measure(in_memory(words[i]), 100);
  for (int i = 0; i < times; i++) many_one();
  for (int i = 0; i < 2 * times; i++) many_two();
  for (int i = 0; i < 3 * times; i++) many_three();
}

static void items(void) {
  struct item second = {.id = 2, .text = in_memory("second"), .color = RED};
  struct item first = {.id = -7,
                       .low = 5,
                       .middle = 100,
                       .high = 33,
                       .negative = -3,
                       .in = {-8, 65000},
                       .bytes = {1, 2, 3, 250},
                       .numbers = {-1, 0, 70000},
                       .name = "a name",
                       .text = in_memory("the text"),
                       .next = &second,
                       .u = {.word = 0x04030201},
                       .color = GREEN,
                       .flag = 1};
  take(&first);
}

static void opens(int times) {
  in_memory("/dev/null");
  for (int i = 0; i < times; i++) close(open("/dev/null", O_RDONLY));
  for (int i = 0; i < times; i++) open("/nowhere/at/all", O_RDONLY);
}

static void sizes(void) {
  static char bytes[1 << 16];
  int to = open("/dev/null", O_WRONLY), from = open("/dev/zero", O_RDONLY);
  for (int size = 1; size <= 1 << 16; size *= 2) {
    if (write(to, bytes, size) != size || read(from, bytes, size) != size) exit(1);
  }
}

static void sleeps(int times, int milliseconds) {
  for (int i = 0; i < times; i++) nap(milliseconds);
}

static void pages(int count) {
  long size = sysconf(_SC_PAGESIZE);
  char *memory = mmap(NULL, count * size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  madvise(memory, count * size, MADV_NOHUGEPAGE);
  for (int i = 0; i < count; i++) memory[i * size] = 1;
}

static void nothing(int signal) { (void)signal; }

static void signals(int times) {
  signal(SIGUSR1, nothing);
  for (int i = 0; i < times; i++) kill(getpid(), SIGUSR1);
}

static void processes(int times) {
  for (int i = 0; i < times; i++) {
    pid_t child = fork();
    if (child == 0) {
      execl(in_memory("/bin/true"), in_memory("renamed"), in_memory("with"), in_memory("arguments"), NULL);
      _exit(1);
    }
    waitpid(child, NULL, 0);
  }
}

static void *thread_body(void *argument) {
  nap(20);
  return argument;
}

static void threads(int times) {
  for (int i = 0; i < times; i++) {
    pthread_t thread;
    pthread_create(&thread, NULL, thread_body, NULL);
    pthread_join(thread, NULL);
  }
}

// Milliseconds of CPU, however busy the machine is.
static void spin(int milliseconds) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  int64_t end = t.tv_sec * 1000LL + t.tv_nsec / 1000000 + milliseconds;
  do {
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  } while (t.tv_sec * 1000LL + t.tv_nsec / 1000000 < end);
}

int main(int argc, char **argv) {
  // Waiting for a line lets the test attach first.
  if (argc > 1 && strcmp(argv[1], "wait") == 0) {
    char line[8];
    if (!fgets(line, sizeof line, stdin)) return 1;
    argc--, argv++;
  }
  const char *mode = argc > 1 ? argv[1] : "";
  int n = argc > 2 ? atoi(argv[2]) : 10;
  int m = argc > 3 ? atoi(argv[3]) : 10;
  if (!strcmp(mode, "functions")) functions(n);
  else if (!strcmp(mode, "items")) items();
  else if (!strcmp(mode, "opens")) opens(n);
  else if (!strcmp(mode, "sizes")) sizes();
  else if (!strcmp(mode, "sleeps")) sleeps(n, m);
  else if (!strcmp(mode, "pages")) pages(n);
  else if (!strcmp(mode, "signals")) signals(n);
  else if (!strcmp(mode, "processes")) processes(n);
  else if (!strcmp(mode, "threads")) threads(n);
  else if (!strcmp(mode, "spin")) spin(n);
  else if (!strcmp(mode, "stacks")) {
    for (int i = 0; i < n; i++) outer(i);
    // Names of functions are looked up while the process lives.
    nap(300);
  }
  else if (!strcmp(mode, "calls"))
    for (int i = 0; i < n; i++) syscall(SYS_getppid);
  else if (!strcmp(mode, "yield"))
    for (int i = 0; i < n; i++) sched_yield();
  else return 2;
  return 0;
}
