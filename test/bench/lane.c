/* What the fast lane costs: threads that append messages and wait until they are durable.
 *
 * usage: lane DIRECTORY [THREADS [MESSAGES [BYTES [done]]]]     (20 threads, 20000 messages, 4096 bytes)
 * With "done" each message is taken and noted as done as well. Prints one line of key=value pairs, as the shared benchmarks
 * do; the directory must be on the disk to be measured. Compare with walsink.c there: 0.3 syncs a message.
 */
#include "engine/lane.h"
#include "base/arena.h"
#include "engine/lane_take.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

struct load {
    struct lane *lane;
    unsigned long thread, messages;
    size_t bytes;
    bool done;
    bool failed;
};

static bool
end_one(struct load *l, const struct lane_ref *ref, const struct message_id *id)
{
    struct durable_fault f;
    struct lane_taken t;
    struct lane_note n = {.id = *id};
    struct arena *a = arena_new();
    bool ok = lane_take(a, lane_directory(l->lane), ref, &t) == LANE_TAKE_OK;
    if (ok) {
        ok = lane_note(l->lane, LANE_KIND_DONE, &n, LANE_LATER, &f) == LANE_OK &&
             lane_take_end(&t);
        lane_take_close(&t);
    }
    arena_free(a);
    return ok;
}

static void *
run(void *ctx)
{
    struct load *l = ctx;
    char *body = malloc(l->bytes + 1);
    char header[512];
    if (body == NULL)
        return NULL;
    memset(body, 'x', l->bytes);
    memset(header, 'h', sizeof header);
    for (unsigned long i = 0; i < l->messages; i++) {
        struct lane_message m = {.queue = STR_EMPTY, .log = STR_EMPTY};
        struct lane_ref ref;
        struct durable_fault f;
        (void)snprintf(m.id.text, sizeof m.id.text, "1xVNEb-%03lu%08lu-0001", l->thread % 1000,
                       i % 100000000);
        m.header = str_from(header, sizeof header);
        if (lane_put(l->lane, &m, str_from(body, l->bytes), &ref, &f) != LANE_OK) {
            (void)fprintf(stderr, "%s\n", f.text);
            l->failed = true;
            break;
        }
        if (l->done && !end_one(l, &ref, &m.id))
            l->failed = true;
    }
    free(body);
    return NULL;
}

static double
seconds(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static void
print(const struct load *l, unsigned long threads, double took, const struct rusage *u)
{
    double n = (double)(threads * l->messages);
    struct lane_figures f = lane_figures(l->lane);
    printf("bench=lane threads=%lu messages=%.0f bytes=%zu done=%d msgs_per_s=%.0f "
           "syncs_msg=%.3f cpu_ms_msg=%.4f user_ms_msg=%.4f sys_ms_msg=%.4f segments=%llu\n",
           threads, n, l->bytes, l->done, n / took, (double)f.syncs / n,
           1e3 * (seconds(u->ru_utime) + seconds(u->ru_stime)) / n,
           1e3 * seconds(u->ru_utime) / n, 1e3 * seconds(u->ru_stime) / n,
           (unsigned long long)f.segments);
}

enum { THREADS_MAX = 256 };

int
main(int argc, char **argv)
{
    pthread_t thread[THREADS_MAX];
    static struct load load[THREADS_MAX];
    struct durable_fault f;
    struct rusage u;
    struct timespec from, to;
    unsigned long threads = argc > 2 ? strtoul(argv[2], NULL, 10) : 20;
    unsigned long all = argc > 3 ? strtoul(argv[3], NULL, 10) : 20000;
    size_t bytes = argc > 4 ? strtoul(argv[4], NULL, 10) : 4096;
    if (argc < 2 || threads == 0 || threads > THREADS_MAX) {
        (void)fprintf(stderr, "usage: lane DIRECTORY [THREADS [MESSAGES [BYTES [done]]]]\n");
        return 2;
    }
    const struct lane_settings s = {
        .spool = argv[1], .calls = &durable_kernel, .segment_size = LANE_SEGMENT_MESSAGES};
    struct lane *lane = lane_open(&s, &f);
    if (lane == NULL) {
        (void)fprintf(stderr, "%s\n", f.text);
        return 1;
    }
    clock_gettime(CLOCK_MONOTONIC, &from);
    for (unsigned long i = 0; i < threads; i++) {
        load[i] = (struct load){.lane = lane,
                                .thread = i,
                                .messages = all / threads,
                                .bytes = bytes,
                                .done = argc > 5};
        if (pthread_create(&thread[i], NULL, run, &load[i]) != 0)
            return 1;
    }
    for (unsigned long i = 0; i < threads; i++)
        pthread_join(thread[i], NULL);
    clock_gettime(CLOCK_MONOTONIC, &to);
    getrusage(RUSAGE_SELF, &u);
    print(&load[0], threads,
          (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9, &u);
    lane_close(lane);
    for (unsigned long i = 0; i < threads; i++)
        if (load[i].failed)
            return 1;
    return 0;
}
