// Makes the nth change below a directory fail, and every later one, or it alone: an
// exact full disk. Loaded with LD_PRELOAD; all processes and threads count together.
//   PKG_TEST_FAULT_BELOW    the directory
//   PKG_TEST_FAULT_COUNTER  a file of 8 bytes that is mapped by all; what failed is appended to <it>.log
//   PKG_TEST_FAULT_AT       n, from 1 on; 0 only counts
//   PKG_TEST_FAULT_ERRNO    what the call says
//   PKG_TEST_FAULT_ONCE     set: only the nth fails
//   PKG_TEST_FAULT_REMOVE   set: removing counts too, as on a read-only or broken disk

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static const char *below;
static size_t below_length;
static long at;
static int error;
static _Atomic long *counter;

__attribute__((constructor)) static void begin(void) {
  const char *file = getenv("PKG_TEST_FAULT_COUNTER");
  below = getenv("PKG_TEST_FAULT_BELOW");
  if (!below || !file) return;
  below_length = strlen(below);
  at = atol(getenv("PKG_TEST_FAULT_AT") ?: "0");
  error = atoi(getenv("PKG_TEST_FAULT_ERRNO") ?: "28");
  int fd = syscall(SYS_openat, AT_FDCWD, file, O_RDWR | O_CLOEXEC);
  if (fd < 0) return;
  void *mapped = mmap(0, 8, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (mapped != MAP_FAILED) counter = mapped;
  syscall(SYS_close, fd);
}

static int fails(const char *what, const char *path) {
  if (!counter || !path || strncmp(path, below, below_length)) return 0;
  long n = ++*counter;
  if (at == 0 || n < at || (n > at && getenv("PKG_TEST_FAULT_ONCE"))) return 0;
  char line[4200];
  snprintf(line, sizeof line, "%s.log", getenv("PKG_TEST_FAULT_COUNTER"));
  int fd = syscall(SYS_openat, AT_FDCWD, line, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  int length = snprintf(line, sizeof line, "%ld %s %s\n", n, what, path);
  if (fd >= 0) {
    syscall(SYS_write, fd, line, length);
    syscall(SYS_close, fd);
  }
  errno = error;
  return 1;
}

static int fails_fd(const char *what, int fd) {
  char link[64], path[4096];
  if (!counter) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  return fails(what, path);
}

#define REAL(name) ((typeof(&name))dlsym(RTLD_NEXT, #name))
#define BY_PATH(type, name, params, path, args) \
  type name params { return fails(#name, path) ? -1 : REAL(name) args; }
#define BY_FD(type, name, params, args) \
  type name params { return fails_fd(#name, fd) ? -1 : REAL(name) args; }
#define REMOVES(name, params, path, args) \
  int name params { return getenv("PKG_TEST_FAULT_REMOVE") && fails(#name, path) ? -1 : REAL(name) args; }

#define OPEN(name, params, args) \
  int name params { \
    mode_t mode = 0; \
    if (flags & O_CREAT) { \
      va_list more; \
      va_start(more, flags); \
      mode = va_arg(more, mode_t); \
      va_end(more); \
      if (access(path, F_OK) && fails(#name, path)) return -1; \
    } \
    return REAL(name) args; \
  }

OPEN(open, (const char *path, int flags, ...), (path, flags, mode))
OPEN(open64, (const char *path, int flags, ...), (path, flags, mode))
OPEN(openat, (int dir, const char *path, int flags, ...), (dir, path, flags, mode))
OPEN(openat64, (int dir, const char *path, int flags, ...), (dir, path, flags, mode))

BY_FD(ssize_t, write, (int fd, const void *data, size_t n), (fd, data, n))
BY_FD(ssize_t, pwrite, (int fd, const void *data, size_t n, off_t o), (fd, data, n, o))
BY_FD(ssize_t, pwrite64, (int fd, const void *data, size_t n, off64_t o), (fd, data, n, o))
BY_FD(ssize_t, writev, (int fd, const struct iovec *v, int n), (fd, v, n))
BY_FD(ssize_t, pwritev, (int fd, const struct iovec *v, int n, off_t o), (fd, v, n, o))
BY_FD(ssize_t, pwritev64, (int fd, const struct iovec *v, int n, off64_t o), (fd, v, n, o))
BY_FD(int, ftruncate, (int fd, off_t n), (fd, n))
BY_FD(int, ftruncate64, (int fd, off64_t n), (fd, n))
BY_FD(int, fsync, (int fd), (fd))
BY_FD(int, fdatasync, (int fd), (fd))
BY_FD(int, syncfs, (int fd), (fd))

BY_PATH(int, rename, (const char *from, const char *to), to, (from, to))
BY_PATH(int, link, (const char *from, const char *to), to, (from, to))
BY_PATH(int, symlink, (const char *target, const char *path), path, (target, path))
BY_PATH(int, mkdir, (const char *path, mode_t mode), path, (path, mode))

REMOVES(unlink, (const char *path), path, (path))
REMOVES(rmdir, (const char *path), path, (path))
