/* Figures about the machine: load, free space. */
#include "sys/machine.h"

#include <stdlib.h>
#include <sys/statvfs.h>

int64_t
machine_load_average(void)
{
    double load;
    return getloadavg(&load, 1) == 1 ? (int64_t)(load * 1000.0) : -1;
}

struct machine_free
machine_free_at(const char *path)
{
    struct statvfs s;
    if (statvfs(path, &s) != 0)
        return (struct machine_free){-1, -1};
    unsigned long unit = s.f_frsize > 0 ? s.f_frsize : s.f_bsize;
    return (struct machine_free){
        .kib = (int64_t)((double)s.f_bavail * ((double)unit / 1024.0)),
        .inodes = s.f_files > 0 ? (int64_t)s.f_favail : -1,
    };
}
