// Linux headers that the Glibc module of Swift leaves out. _GNU_SOURCE is not defined here: it would change
// types that other modules see, so the few GNU functions needed are declared by hand.
#pragma once
#include <fcntl.h>
#include <malloc.h>
#include <locale.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

int accept4(int fd, struct sockaddr *address, socklen_t *length, int flags);
long syscall(long number, ...);
double strtod_l(const char *text, char **end, locale_t locale);
float strtof_l(const char *text, char **end, locale_t locale);

// How many CPUs this process may run on; 1 when the kernel does not tell.
static inline int clinux_cpu_count(void) {
    unsigned long mask[16] = {0};
    long size = syscall(SYS_sched_getaffinity, 0, sizeof mask, mask);
    int count = 0;
    for (long i = 0; i < size / (long)sizeof mask[0]; i++) count += __builtin_popcountl(mask[i]);
    return count > 0 ? count : 1;
}
