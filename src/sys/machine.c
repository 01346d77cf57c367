/* Figures about the machine: load, free space. */
#include "sys/machine.h"

#include <sys/statvfs.h>
#include <sys/sysinfo.h>

int64_t
machine_load_average(void)
{
    struct sysinfo s; /* not getloadavg(), which reads /proc: a service need not see that */
    return sysinfo(&s) == 0 ? (int64_t)((uint64_t)s.loads[0] * 1000 >> SI_LOAD_SHIFT) : -1;
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
