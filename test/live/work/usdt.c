/* USDT probes of every width, sign and place, fired a known number of times with known arguments. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#define _SDT_HAS_SEMAPHORES 1
#include <sys/sdt.h>

/* With semaphores switched on, every probe of the file has one. */
#define SEMAPHORE(name) \
  __extension__ volatile unsigned short work_##name##_semaphore __attribute__((unused, section(".probes")))

SEMAPHORE(unsigned8);
SEMAPHORE(signed8);
SEMAPHORE(unsigned16);
SEMAPHORE(signed16);
SEMAPHORE(unsigned32);
SEMAPHORE(signed32);
SEMAPHORE(unsigned64);
SEMAPHORE(signed64);
SEMAPHORE(constants);
SEMAPHORE(twelve);
SEMAPHORE(place);
SEMAPHORE(text);
SEMAPHORE(nothing);
SEMAPHORE(global);
SEMAPHORE(element);
SEMAPHORE(guarded);

volatile int32_t counter = -5;
static volatile int16_t table[4] = {100, -200, 300, -400};

/* The value comes from memory that the compiler knows nothing of. */
#define WIDTH(type, name, bits) \
  __attribute__((noinline)) static void name(volatile uint64_t *source) { \
    type value = (type)*source; \
    STAP_PROBE1(work, name##bits, value); \
  }
WIDTH(uint8_t, unsigned, 8)
#undef WIDTH
#define WIDTH(type, name) \
  __attribute__((noinline)) static void fire_##name(volatile uint64_t *source) { \
    type value = (type)*source; \
    STAP_PROBE1(work, name, value); \
  }
WIDTH(int8_t, signed8)
WIDTH(uint16_t, unsigned16)
WIDTH(int16_t, signed16)
WIDTH(uint32_t, unsigned32)
WIDTH(int32_t, signed32)
WIDTH(uint64_t, unsigned64)
WIDTH(int64_t, signed64)
