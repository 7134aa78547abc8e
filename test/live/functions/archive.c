/* A library to be mapped from within an archive, and, with -DLOADER, the program that does so: loader FILE PAGE OFFSET N maps
   the file from PAGE on and calls the function OFFSET bytes into it N times. */
#ifdef LOADER
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>

int main(int argc, char **argv) {
  int fd = open(argv[1], O_RDONLY);
  char *code = mmap(0, 8192, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, strtol(argv[2], 0, 0));
  if (code == MAP_FAILED) return 2;
  int (*archived)(int) = (int (*)(int))(code + strtol(argv[3], 0, 0));
  for (int i = 0; i < atoi(argv[4]); i++)
    if (archived(i) != 3 * i) return 3;
  return 0;
}
#else
int archived(int n) { return 3 * n; }
#endif
