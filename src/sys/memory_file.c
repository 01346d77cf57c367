/* Anonymous files; see memory_file.h. */
#include "sys/memory_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int
memory_file_new(const char *name)
{
    return memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
}

bool
memory_file_seal(int fd)
{
    return fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) ==
           0;
}

bool
memory_file_is_sealed(int fd)
{
    int seals = fcntl(fd, F_GET_SEALS);
    return seals >= 0 && (seals & F_SEAL_WRITE) != 0;
}

int
memory_file_page(const char *name, size_t n)
{
    int fd = memory_file_new(name);
    if (fd < 0)
        return -1;
    if (ftruncate(fd, (off_t)n) == 0 &&
        fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0)
        return fd;
    close(fd);
    return -1;
}

void *
memory_file_map(int fd, size_t n)
{
    struct stat st;
    if (fstat(fd, &st) != 0 || (size_t)st.st_size != n)
        return NULL;
    void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    return p == MAP_FAILED ? NULL : p;
}

void
memory_file_unmap(void *p, size_t n)
{
    (void)munmap(p, n);
}
