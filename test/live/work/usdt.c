/* USDT probes of every width, sign and place, fired N times with known arguments: usdt N */
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/sdt.h>

/* Values come from memory that the compiler knows nothing of. */
#define WIDTH(type, name) \
  __attribute__((noinline)) static void fire_##name(const volatile uint64_t *source) { \
    type value = (type)*source; \
    STAP_PROBE1(work, name, value); \
  }
WIDTH(uint8_t, unsigned8)
WIDTH(int8_t, signed8)
WIDTH(uint16_t, unsigned16)
WIDTH(int16_t, signed16)
WIDTH(uint32_t, unsigned32)
WIDTH(int32_t, signed32)
WIDTH(uint64_t, unsigned64)
WIDTH(int64_t, signed64)

static void widths(void) {
  volatile uint64_t source = 0xf1f2f3f4f5f6f7f8;
  fire_unsigned8(&source);
  fire_signed8(&source);
  fire_unsigned16(&source);
  fire_signed16(&source);
  fire_unsigned32(&source);
  fire_signed32(&source);
  fire_unsigned64(&source);
  fire_signed64(&source);
}

/* On the stack, where a struct's fields lie. */
struct fields {
  int8_t a;
  uint16_t b;
  int32_t c;
  int64_t d;
};

__attribute__((noinline)) static void memory(int i) {
  struct fields fields = {-1, 60000, -70000, -i};
  __asm__ volatile("" : "+m"(fields));
  STAP_PROBE4(work, memory, fields.a, fields.b, fields.c, fields.d);
}

/* One probe at three places, each with its argument elsewhere. */
__attribute__((noinline)) static void places(long i) {
  STAP_PROBE1(work, place, 7);
  STAP_PROBE1(work, place, i);
  volatile int stacked = (int)-i;
  STAP_PROBE1(work, place, stacked);
}

#if defined __x86_64__
int counter = -5;
static int16_t table[4] = {100, -200, 300, -400};

/* Forms that compilers write only now and then. */
__attribute__((noinline)) static void forms(long i) {
  long at = i & 3;
  counter--;
  __asm__ volatile("" ::: "memory");
  __asm__ volatile(STAP_PROBE_ASM(work, global, -4@counter(%%rip) -2@4+table(%%rip))::"m"(counter), "m"(table));
  __asm__ volatile(STAP_PROBE_ASM(work, element, -2@(%0,%1,2) -2@2(%0,%1,2))::"r"(table), "r"(at & 1));
  __asm__ volatile("mov $0x1234, %%ecx\n" STAP_PROBE_ASM(work, high, 1@%%ch 1@%%cl 2@%%cx)::: "ecx");
}
#endif

int main(int argc, char **argv) {
  long rounds = argc > 1 ? atol(argv[1]) : 1;
  const char *texts[] = {"first", "second"};
  for (long i = 0; i < rounds; i++) {
    widths();
    memory((int)i);
    places(i);
    /* Read here, so that its page is there for the tracer to read. */
    if (*(const volatile char *)texts[i & 1]) STAP_PROBE2(work, text, texts[i & 1], i);
    STAP_PROBE(work, nothing);
    STAP_PROBE2(work, constants, -1, 0x7fffffff);
    STAP_PROBE12(work, twelve, i, 1, (short)-2, 3L, (char)4, -5LL, 6u, 7ul, (unsigned char)200, i + 9, 10, -11L);
    STAP_PROBE1(other, text, i);
#if defined __x86_64__
    forms(i);
#endif
  }
  return 0;
}
