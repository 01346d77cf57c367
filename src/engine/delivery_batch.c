/* Runs the local transports, one batch after the other. */
#include "base/map.h"
#include "conf/conf.h"
#include "engine/delivery.h"
#include "engine/local_delivery.h"
#include "engine/maillog.h"
#include "engine/retry_hints.h"
#include "filter/expand.h"
#include "transports/transport.h"

/* /dev/null as a file of a redirection needs no transport. */
static bool
is_null_file(const struct address *a)
{
    return a->item == ADDRESS_ITEM_FILE && str_eqz(a->text, "/dev/null");
}

static void
bypass(struct delivery *d, struct address *a)
{
    a->transport = NULL;
    a->transport_name = STR_LIT("**bypassed**");
    delivery_answer(d, a, OUT_OK, 0, STR_NULL);
    delivery_address_ended(d, a);
}

/* -N: everything as if, and nothing is delivered. */
static void
pretend(struct delivery *d, struct address **batch, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        delivery_answer(d, batch[i], OUT_OK, 0, STR_NULL);
        batch[i]->answer->additional = i > 0;
        delivery_address_ended(d, batch[i]);
    }
}

void
delivery_end_duplicates(struct delivery *d, struct address *a)
{
    for (struct address *other = a->next_duplicate; other != NULL;
         other = other->next_duplicate) {
        if (a->answer->why.outcome == OUT_OK) {
            delivery_address_done(d, other);
            continue;
        }
        for (struct address *p = other; p != NULL; p = p->parent)
            p->waits = true;
    }
}

static void
run_batch(struct delivery *d, struct address **batch, size_t n)
{
    if (d->engine->dont_deliver || d->header.dont_deliver) {
        pretend(d, batch, n);
        return;
    }
    local_delivery_run(d, batch, n);
    if (n > 1)
        delivery_batch_done(d, batch, n);
    bool first = true;
    for (size_t i = 0; i < n; i++) {
        bool good = batch[i]->answer->why.outcome == OUT_OK;
        batch[i]->answer->additional = good && !first;
        first = first && !good;
        delivery_address_ended(d, batch[i]);
        delivery_end_duplicates(d, batch[i]);
    }
}

/* The first of the rest and those that go with it. Returns how many addresses were taken out of v. */
static size_t
collect(struct delivery *d, struct address_vec *v, size_t at, struct address_vec *batch)
{
    struct address *first = v->v[at];
    size_t max = local_delivery_batch_max(first->transport), kept = at;
    batch->n = 0;
    for (size_t i = at; i < v->n; i++) {
        struct address *a = v->v[i];
        bool with = a == first || (batch->n < max && local_delivery_batches(d, first, a));
        if (with)
            vec_push(d->arena, batch, a);
        else
            v->v[kept++] = a;
    }
    size_t taken = v->n - kept;
    v->n = kept;
    return taken;
}

void
delivery_local(struct delivery *d)
{
    struct address_vec todo = d->local, batch = {NULL, 0, 0};
    size_t at = 0;
    while (at < todo.n) {
        struct address *a = todo.v[at];
        if (is_null_file(a)) {
            bypass(d, a);
            at++;
        } else if (retry_local_waits(d, a)) {
            delivery_address_ended(d, a);
            at++;
        } else if (local_delivery_batch_max(a->transport) <= 1) {
            run_batch(d, &a, 1);
            at++;
        } else {
            (void)collect(d, &todo, at, &batch);
            run_batch(d, batch.v, batch.n);
        }
    }
}
