/* Jobs as bytes: writing; see local_job.h. local_job_read.c reads them. */
#include "engine/local_job.h"

#include "base/map.h"
#include "engine/local_job_rows.h"

/* While a job is written. */
struct writer {
    struct buf *out;
    VEC(const struct address *) put; /* in the order of their numbers */
};

static bool
put(struct writer *w, enum local_job_tag tag, const void *object)
{
    return record_put(w->out, (unsigned char)tag, local_job_rows(tag), object);
}

static bool
put_texts(struct writer *w, enum local_job_text_of of, const struct str *v, size_t n)
{
    bool ok = n <= LOCAL_JOB_TEXTS_MAX;
    for (size_t i = 0; i < n && ok; i++) {
        const struct local_job_text t = {.of = of, .text = v[i]};
        ok = put(w, LOCAL_JOB_TAG_TEXT, &t);
    }
    return ok;
}

static bool
put_variables(struct writer *w, enum local_job_variable_of of, const struct map *m)
{
    bool ok = true;
    for (size_t i = 0; m != NULL && i < map_count(m) && ok; i++) {
        const struct map_entry *e = map_at(m, i);
        const struct str *value = e->value;
        if (value == NULL)
            continue;
        const struct local_job_variable v = {.of = of, .name = e->key, .value = *value};
        ok = put(w, LOCAL_JOB_TAG_VARIABLE, &v);
    }
    return ok;
}

/* --- the message --- */

static bool
put_headers(struct writer *w, const struct header_list *l)
{
    bool ok = true;
    for (size_t i = 0; l != NULL && i < l->n && ok; i++)
        if (l->v[i].type != HEADER_TYPE_DELETED)
            ok = put(w, LOCAL_JOB_TAG_HEADER, &l->v[i]);
    return ok;
}

static bool
put_message(struct writer *w, const struct local_job *job)
{
    struct message m;
    if (job->message == NULL)
        return true;
    m = *job->message;
    m.recipients_hidden += job->with_recipients ? 0 : (int64_t)m.recipients.n;
    bool ok = put(w, LOCAL_JOB_TAG_MESSAGE, &m) && put_headers(w, m.headers);
    for (size_t i = 0; job->with_recipients && i < m.recipients.n && ok; i++)
        ok = put(w, LOCAL_JOB_TAG_RECIPIENT, &m.recipients.v[i]);
    return ok;
}

/* --- addresses --- */

/* The number of an address that has been put, plus one; 0 when it has not. */
static int64_t
number_of(const struct writer *w, const struct address *a)
{
    for (size_t i = w->put.n; a != NULL && i > 0; i--)
        if (w->put.v[i - 1] == a)
            return (int64_t)i;
    return 0;
}

static bool
put_one(struct writer *w, const struct address *a, enum local_job_role role)
{
    struct local_job_address one = {.a = *a, .parent = number_of(w, a->parent), .role = role};
    bool ok = w->put.n < LOCAL_JOB_ADDRESSES_MAX && put(w, LOCAL_JOB_TAG_ADDRESS, &one);
    vec_push(w->out->arena, &w->put, a);
    if (a->reply != NULL && ok) {
        const struct local_job_reply r = {.id = a->reply->id, .flags = a->reply->flags};
        ok = put(w, LOCAL_JOB_TAG_REPLY, &r) &&
             put_texts(w, LOCAL_JOB_TEXT_ARGUMENT, a->reply->argv, a->reply->argc);
    }
    return ok && put_texts(w, LOCAL_JOB_TEXT_PIPE, a->captures, a->captures_n);
}

/* Its ancestors first, the oldest before the others. */
static bool
put_address(struct writer *w, const struct address *a, enum local_job_role role)
{
    VEC(const struct address *) line = {NULL, 0, 0};
    for (const struct address *p = a->parent; p != NULL && number_of(w, p) == 0; p = p->parent)
        vec_push(w->out->arena, &line, p);
    bool ok = true;
    while (line.n > 0 && ok)
        ok = put_one(w, line.v[--line.n], LOCAL_JOB_ANCESTOR);
    return ok && put_one(w, a, role);
}

static bool
put_addresses(struct writer *w, const struct local_job *job)
{
    bool ok = true;
    for (size_t i = 0; i < job->n && ok; i++) {
        const struct address *a = job->addresses[i];
        ok = put_address(w, a, LOCAL_JOB_TARGET);
        while (ok && (a = a->next_duplicate) != NULL)
            ok = put_address(w, a, LOCAL_JOB_DUPLICATE);
    }
    return ok && (job->view == NULL || put_address(w, job->view, LOCAL_JOB_VIEW));
}

bool
local_job_write(struct buf *out, const struct local_job *job)
{
    static const struct record_rows none = {.n = 0};
    struct writer w = {.out = out};
    bool ok = put(&w, LOCAL_JOB_TAG_CALL, &job->call) && put_message(&w, job) &&
              (job->session == NULL || put(&w, LOCAL_JOB_TAG_SESSION, job->session)) &&
              put_addresses(&w, job) &&
              put_variables(&w, LOCAL_JOB_VARIABLE_ROUTER, job->router_vars) &&
              put_variables(&w, LOCAL_JOB_VARIABLE_ACL_C, job->acl_c) &&
              put_variables(&w, LOCAL_JOB_VARIABLE_ACL_M, job->acl_m) &&
              put_texts(&w, LOCAL_JOB_TEXT_CAPTURE, job->captures, job->captures_n) &&
              put_texts(&w, LOCAL_JOB_TEXT_WORD, job->words, job->words_n) &&
              (job->prepared == NULL ||
               record_put(out, LOCAL_JOB_TAG_PREPARED, job->prepared_rows, job->prepared)) &&
              record_put(out, LOCAL_JOB_TAG_END, &none, job);
    return ok && !out->overflow;
}
