// A process whose memory map nobody can read: stuck <file on a file system that does not answer>.
// Reading one's own memory waits for the page with the map held; a second thread that changes the map then waits for
// the first, and whoever comes after that for both.

#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

static char *page;

static void *look(void *unused) {
  char byte;
  int memory = open("/proc/self/mem", O_RDONLY);
  (void)!pread(memory, &byte, 1, (off_t)page);
  return unused;
}

int main(int count, char **words) {
  (void)count;
  pthread_t thread;
  int file = open(words[1], O_RDONLY);
  page = mmap(0, 4096, PROT_READ, MAP_PRIVATE, file, 0);
  if (page == MAP_FAILED || pthread_create(&thread, 0, look, 0) != 0) return 1;
  for (;;) {
    usleep(20000);
    munmap(mmap(0, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), 4096);
  }
}
