// A file system of one file, /app, whose server can fall silent: `served FILE MOUNTPOINT`. It speaks the protocol of
// /dev/fuse itself. Lines of standard input: "silent" leaves requests unanswered, "answer" answers them and those to come.
// At the end of its input it unmounts.
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROOM (1 << 18)
#define APP 2
static int fuse, file;
static struct stat stat_of_file;

static void reply(const struct fuse_in_header *in, int error, const void *data, size_t length) {
  struct fuse_out_header head = {.len = sizeof head + length, .error = -error, .unique = in->unique};
  static char out[ROOM];
  memcpy(out, &head, sizeof head);
  if (length) memcpy(out + sizeof head, data, length);
  if (write(fuse, out, head.len) < 0 && errno != ENOENT) perror("served: reply");
}

// Nothing is kept: everything is asked again.
static struct fuse_attr attributes(unsigned long node) {
  struct fuse_attr attr = {.ino = node, .nlink = 1, .blksize = 4096};
  attr.mode = node == APP ? S_IFREG | 0755 : S_IFDIR | 0755;
  if (node == APP) {
    attr.size = stat_of_file.st_size;
    attr.blocks = (attr.size + 511) / 512;
  }
  return attr;
}

static void answer(const char *request) {
  const struct fuse_in_header *in = (const void *)request;
  const void *body = request + sizeof *in;
  switch (in->opcode) {
  case FUSE_INIT: {
    struct fuse_init_out out = {.major = FUSE_KERNEL_VERSION, .minor = 31, .max_readahead = 1 << 17, .max_write = 1 << 17};
    return reply(in, 0, &out, sizeof out);
  }
  case FUSE_LOOKUP: {
    if (strcmp(body, "app") != 0) return reply(in, ENOENT, NULL, 0);
    struct fuse_entry_out out = {.nodeid = APP, .attr = attributes(APP)};
    return reply(in, 0, &out, sizeof out);
  }
  case FUSE_GETATTR: {
    struct fuse_attr_out out = {.attr = attributes(in->nodeid)};
    return reply(in, 0, &out, sizeof out);
  }
  case FUSE_OPEN:
  case FUSE_OPENDIR: {
    struct fuse_open_out out = {.fh = 1};
    return reply(in, 0, &out, sizeof out);
  }
  case FUSE_READ: {
    const struct fuse_read_in *asked = body;
    static char data[ROOM];
    size_t most = asked->size < ROOM / 2 ? asked->size : ROOM / 2;
    ssize_t length = pread(file, data, most, asked->offset);
    return reply(in, length < 0 ? errno : 0, data, length < 0 ? 0 : length);
  }
  case FUSE_READDIR:
  case FUSE_RELEASE:
  case FUSE_RELEASEDIR:
  case FUSE_FLUSH:
    return reply(in, 0, NULL, 0);
  case FUSE_FORGET:
  case FUSE_BATCH_FORGET:
  case FUSE_INTERRUPT:
    return;
  default:
    return reply(in, ENOSYS, NULL, 0);
  }
}

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  file = open(argv[1], O_RDONLY);
  fuse = open("/dev/fuse", O_RDWR);
  char options[100];
  snprintf(options, sizeof options, "fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other", fuse);
  if (file < 0 || fuse < 0 || fstat(file, &stat_of_file) || mount("nobody", argv[2], "fuse.served", 0, options)) {
    perror("served");
    return 1;
  }
  puts("mounted");
  fflush(stdout);
  static char *waiting[1000];
  int silent = 0, count = 0;
  struct pollfd both[] = {{.fd = fuse, .events = POLLIN}, {.fd = 0, .events = POLLIN}};
  for (;;) {
    if (poll(both, 2, -1) < 0) {
      if (errno == EINTR) continue;
      perror("served: poll");
      break;
    }
    if (both[0].revents) {
      char *request = malloc(ROOM);
      if (read(fuse, request, ROOM) < 0) {
        free(request);
        // Whoever asked was interrupted.
        if (errno == ENOENT || errno == EINTR || errno == EAGAIN) continue;
        if (errno != ENODEV) perror("served: read");
        break;
      }
      if (silent && count < 1000) {
        waiting[count++] = request;
      } else {
        answer(request);
        free(request);
      }
    }
    if (both[1].revents) {
      char line[100];
      ssize_t length = read(0, line, sizeof line);
      if (length <= 0) break;
      silent = line[0] == 's';
      for (int i = 0; !silent && i < count; i++) answer(waiting[i]);
      if (!silent) count = 0;
      puts(silent ? "silent" : "answering");
      fflush(stdout);
    }
  }
  umount2(argv[2], MNT_DETACH);
  return 0;
}
