/* The service manager (systemd): what it hands over, and telling it how the daemon is. Source: sd_notify(3), sd_listen_fds(3). */
#ifndef REMEX_SYS_SERVICE_NOTIFY_H
#define REMEX_SYS_SERVICE_NOTIFY_H

enum { SERVICE_PATH_MAX = 108, SERVICE_FD = 3 /* the first socket handed over */ };

struct service {
    char path[SERVICE_PATH_MAX]; /* of its socket; empty: there is none */
    int sockets; /* how many listening sockets it hands over, from SERVICE_FD on */
};

/* Takes what concerns this process out of the environment: no child of ours is to see it. Before there are threads. */
void service_take(struct service *s);

/* "READY=1", "STOPPING=1" and so on, in one datagram. */
void service_notify(const struct service *s, const char *state);

#endif
