/* Functions with arguments of every kind, called a known number of times. Lines are counted on: dwarf.test.ts. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum color { RED = 1, GREEN = 2, BELOW = -3 };
struct point { int x, y; };
struct large { long words[4]; };
struct node {
  struct node *next;
  char name[16];
  unsigned flag : 3;
  signed level : 5;
  uint64_t wide : 40;
  union { int number; char *text; };
  struct { short inner; } part;
  enum color color;
  struct point points[3];
  void *data;
  _Bool on;
};
typedef struct node node_t;

volatile long sink;

static inline __attribute__((always_inline)) long twice(long v)
{
  sink += v;
  return v * 2;
}

__attribute__((noipa)) long walk(const node_t *node, int depth, const char *label, _Bool deep)
{
  long sum = 0;
  for (; node; node = node->next)
    sum += node->number * depth + label[0] * deep;
  return sum;
}

__attribute__((noipa)) long many(signed char a, unsigned char b, short c, unsigned short d, int e, unsigned f, long g, int h, enum color i)
{
  return a + b + c + d + e + f + g + h + i;
}

__attribute__((noipa)) double mixed(double d, int i, float f, struct point p, long after, struct large big, enum color c)
{
  return d + i + f + p.x + after + big.words[0] + c;
}

__attribute__((noipa)) struct large hidden(node_t *node, int n)
{
  return (struct large){{n, twice(n), node->number, 0}};
}

__attribute__((noipa)) long helper(int n)
{
  return twice(n) + 1;
}

static __attribute__((noinline)) long cloned(int n, int unused, int always)
{
  (void)unused;
  sink += always;
  return n * 3 + sink;
}

int main(int argc, char **argv)
{
  int n = argc > 1 ? atoi(argv[1]) : 1;
  node_t second = {.name = "second", .number = 20, .color = GREEN, .flag = 5, .level = -3, .wide = 0x8000000001, .points = {{1, 2}, {3, 4}, {5, 6}}, .on = 1};
  node_t first = {.next = &second, .name = "first", .number = 10, .color = BELOW, .part = {-7}};
  char label[] = "label";
  for (int i = 0; i < n; i++) {
    sink += walk(&first, i, label, i & 1);
    sink += many(-1, 200, -3, 60000, -5, 4000000000u, 1l << 40, -100 - i, GREEN);
    sink += (long)mixed(1.5, i, 2.5f, (struct point){3, 4}, 77, (struct large){{1}}, GREEN);
    sink += hidden(&first, i).words[0];
    sink += helper(i);
    sink += cloned(i, i, 5);
  }
  return sink == 42;
}
