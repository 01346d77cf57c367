/* Deadlines of connections at rest; see smtp_wheel.h. */
#include "engine/smtp_wheel.h"

static void
make_ring(struct smtp_wheel_entry *head)
{
    head->before = head->after = head;
}

void
smtp_wheel_init(struct smtp_wheel *w, int64_t now_ms)
{
    for (size_t i = 0; i < SMTP_WHEEL_SLOTS; i++)
        make_ring(&w->slots[i]);
    make_ring(&w->timeless);
    w->second = now_ms / 1000;
    w->n = 0;
}

static struct smtp_wheel_entry *
slot_of(struct smtp_wheel *w, int64_t second)
{
    return &w->slots[(uint64_t)second % SMTP_WHEEL_SLOTS];
}

void
smtp_wheel_add(struct smtp_wheel *w, struct smtp_wheel_entry *e, int64_t deadline_ms)
{
    struct smtp_wheel_entry *head = &w->timeless;
    int64_t second = deadline_ms / 1000 + 1; /* in which its time is up for certain */
    if (deadline_ms > 0)
        head = slot_of(w, second > w->second ? second : w->second + 1);
    e->deadline_ms = deadline_ms;
    e->before = head->before;
    e->after = head;
    head->before->after = e;
    head->before = e;
    w->n++;
}

void
smtp_wheel_remove(struct smtp_wheel *w, struct smtp_wheel_entry *e)
{
    if (e->after == NULL)
        return;
    e->before->after = e->after;
    e->after->before = e->before;
    e->before = e->after = NULL;
    w->n--;
}

/* One of a slot whose time is up. */
static struct smtp_wheel_entry *
find_expired(struct smtp_wheel_entry *head, int64_t now_ms)
{
    for (struct smtp_wheel_entry *e = head->after; e != head; e = e->after)
        if (e->deadline_ms <= now_ms)
            return e;
    return NULL;
}

struct smtp_wheel_entry *
smtp_wheel_expired(struct smtp_wheel *w, int64_t now_ms)
{
    int64_t now = now_ms / 1000;
    if (now - w->second > SMTP_WHEEL_SLOTS) /* a whole turn is as good as several */
        w->second = now - SMTP_WHEEL_SLOTS;
    while (w->second < now) {
        struct smtp_wheel_entry *e = find_expired(slot_of(w, w->second + 1), now_ms);
        if (e != NULL) {
            smtp_wheel_remove(w, e);
            return e;
        }
        w->second++;
    }
    return NULL;
}

struct smtp_wheel_entry *
smtp_wheel_any(struct smtp_wheel *w)
{
    struct smtp_wheel_entry *e = NULL;
    if (w->timeless.after != &w->timeless)
        e = w->timeless.after;
    for (size_t i = 0; e == NULL && i < SMTP_WHEEL_SLOTS; i++)
        if (w->slots[i].after != &w->slots[i])
            e = w->slots[i].after;
    if (e != NULL)
        smtp_wheel_remove(w, e);
    return e;
}
