/* Jobs as bytes: reading, as if a stranger had written them; see local_job.h. */
#include "base/map.h"
#include "engine/local_job.h"
#include "engine/local_job_rows.h"

/* While a job is read. */
struct reader {
    struct arena *arena;
    struct local_job *job;
    const char *fault; /* NULL: none */
    VEC(struct address *) all;
    struct address *tail; /* the last target, or the last of its duplicates */
    /* Of the last address. */
    struct address *last;
    struct filter_action *reply;
    struct str *arguments, *pipe; /* room for FILTER_MAIL_ARGUMENTS, for VM_CAPS */
    VEC(struct address *) targets;
    VEC(struct str) texts[LOCAL_JOB_TEXTS];
    struct map *acl_c, *acl_m, *router;
};

static bool
read_into(struct reader *r, const struct record *rec, void *object)
{
    return record_read(rec->body, local_job_rows((enum local_job_tag)rec->tag), object,
                       &r->fault);
}

static void
take_message(struct reader *r, const struct record *rec)
{
    struct message *m = ARENA_NEW(r->arena, struct message);
    m->arena = r->arena;
    m->headers = ARENA_NEW(r->arena, struct header_list);
    if (r->job->message != NULL)
        r->fault = "a message twice";
    else if (read_into(r, rec, m))
        r->job->message = m;
}

static void
take_session(struct reader *r, const struct record *rec)
{
    struct session *s = ARENA_NEW(r->arena, struct session);
    s->arena = r->arena;
    if (r->job->session != NULL)
        r->fault = "a session twice";
    else if (read_into(r, rec, s))
        r->job->session = s;
}

static void
take_header(struct reader *r, const struct record *rec)
{
    struct header h = {.name_n = 0};
    if (r->job->message == NULL || r->job->message->headers->n >= HEADER_LINES_MAX) {
        r->fault = "a header line too many";
        return;
    }
    if (!read_into(r, rec, &h))
        return;
    h.name_n = (uint32_t)header_name_length(h.text);
    if (h.name_n == 0)
        r->fault = "a header line without a name";
    else
        vec_push(r->arena, r->job->message->headers, h);
}

static void
take_recipient(struct reader *r, const struct record *rec)
{
    struct recipient one = {.parent = 0};
    if (r->job->message == NULL)
        r->fault = "a recipient without a message";
    else if (read_into(r, rec, &one))
        vec_push(r->arena, &r->job->message->recipients, one);
}

static void
take_address(struct reader *r, const struct record *rec)
{
    struct local_job_address one = {.parent = 0};
    if (!read_into(r, rec, &one))
        return;
    if (r->all.n >= LOCAL_JOB_ADDRESSES_MAX || (size_t)one.parent > r->all.n ||
        (one.role == LOCAL_JOB_VIEW && r->job->view != NULL) ||
        (one.role == LOCAL_JOB_DUPLICATE && r->tail == NULL) || !str_is_set(one.a.text)) {
        r->fault = "an address that cannot be";
        return;
    }
    struct address *a = ARENA_NEW(r->arena, struct address);
    *a = one.a;
    a->arena = r->arena;
    a->parent = one.parent > 0 ? r->all.v[one.parent - 1] : NULL;
    vec_push(r->arena, &r->all, a);
    r->last = a;
    r->reply = NULL;
    r->pipe = NULL;
    if (one.role == LOCAL_JOB_TARGET)
        vec_push(r->arena, &r->targets, a);
    if (one.role == LOCAL_JOB_DUPLICATE)
        r->tail->next_duplicate = a;
    if (one.role == LOCAL_JOB_TARGET || one.role == LOCAL_JOB_DUPLICATE)
        r->tail = a;
    if (one.role == LOCAL_JOB_VIEW)
        r->job->view = a;
}

static void
take_reply(struct reader *r, const struct record *rec)
{
    struct local_job_reply one = {.id = 0};
    if (!read_into(r, rec, &one))
        return;
    if (r->last == NULL || r->reply != NULL) {
        r->fault = "a reply without an address";
        return;
    }
    r->arguments = ARENA_ARRAY(r->arena, struct str, FILTER_MAIL_ARGUMENTS);
    r->reply = ARENA_NEW(r->arena, struct filter_action);
    *r->reply = (struct filter_action){.id = (enum filter_action_id)one.id,
                                       .flags = one.flags,
                                       .number = -1,
                                       .argv = r->arguments};
    r->last->reply = r->reply;
}

static void
add_argument(struct reader *r, struct str text)
{
    if (r->reply == NULL || r->reply->argc >= FILTER_MAIL_ARGUMENTS)
        r->fault = "an argument too many";
    else
        r->arguments[r->reply->argc++] = text;
}

/* $0 and so on of the command of the last address. */
static void
add_pipe(struct reader *r, struct str text)
{
    if (r->last == NULL || r->last->captures_n >= VM_CAPS) {
        r->fault = "a text too many";
        return;
    }
    if (r->pipe == NULL)
        r->pipe = ARENA_ARRAY(r->arena, struct str, VM_CAPS);
    r->pipe[r->last->captures_n++] = text;
    r->last->captures = r->pipe;
}

static void
take_text(struct reader *r, const struct record *rec)
{
    struct local_job_text t = {.of = 0};
    if (!read_into(r, rec, &t))
        return;
    if (t.of == LOCAL_JOB_TEXT_ARGUMENT)
        add_argument(r, t.text);
    else if (t.of == LOCAL_JOB_TEXT_PIPE)
        add_pipe(r, t.text);
    else if (r->texts[t.of].n >= LOCAL_JOB_TEXTS_MAX)
        r->fault = "a text too many";
    else
        vec_push(r->arena, &r->texts[t.of], t.text);
}

static void
take_variable(struct reader *r, const struct record *rec)
{
    struct local_job_variable v = {.of = 0};
    struct map **const maps[LOCAL_JOB_VARIABLES] = {&r->acl_c, &r->acl_m, &r->router};
    if (!read_into(r, rec, &v))
        return;
    if (v.name.n == 0) {
        r->fault = "a variable without a name";
        return;
    }
    struct map **m = maps[v.of];
    if (*m == NULL)
        *m = map_new(r->arena, MAP_CASEFUL);
    struct str *value = ARENA_NEW(r->arena, struct str);
    *value = v.value;
    map_set(*m, v.name, value);
}

static void
take_record(struct reader *r, const struct record *rec)
{
    switch (rec->tag) {
    case LOCAL_JOB_TAG_MESSAGE:
        take_message(r, rec);
        return;
    case LOCAL_JOB_TAG_SESSION:
        take_session(r, rec);
        return;
    case LOCAL_JOB_TAG_HEADER:
        take_header(r, rec);
        return;
    case LOCAL_JOB_TAG_RECIPIENT:
        take_recipient(r, rec);
        return;
    case LOCAL_JOB_TAG_ADDRESS:
        take_address(r, rec);
        return;
    case LOCAL_JOB_TAG_REPLY:
        take_reply(r, rec);
        return;
    case LOCAL_JOB_TAG_TEXT:
        take_text(r, rec);
        return;
    case LOCAL_JOB_TAG_VARIABLE:
        take_variable(r, rec);
        return;
    case LOCAL_JOB_TAG_PREPARED:
        if (rec->body.n > LOCAL_JOB_PREPARED_MAX || str_is_set(r->job->prepared_record))
            r->fault = "too much that is prepared";
        r->job->prepared_record = rec->body;
        return;
    default:
        r->fault = "an unknown record";
    }
}

static void
take_all(struct reader *r, struct str rest)
{
    struct record rec;
    if (!record_next(&rest, &rec) || rec.tag != LOCAL_JOB_TAG_CALL) {
        r->fault = "no call";
        return;
    }
    (void)read_into(r, &rec, &r->job->call);
    bool more = r->fault == NULL && record_next(&rest, &rec);
    while (more && rec.tag != LOCAL_JOB_TAG_END) {
        take_record(r, &rec);
        more = r->fault == NULL && record_next(&rest, &rec);
    }
    if (r->fault == NULL && (!more || rec.body.n > 0 || rest.n > 0))
        r->fault = more ? "bytes behind the end" : "no end";
}

bool
local_job_read(struct arena *a, struct str bytes, struct local_job *job, const char **fault)
{
    struct reader r = {.arena = a, .job = job};
    *job = (struct local_job){.message = NULL};
    take_all(&r, bytes);
    if (r.fault == NULL && job->call.kind == 0)
        r.fault = "no kind";
    job->addresses = r.targets.v;
    job->n = r.targets.n;
    job->acl_c = r.acl_c;
    job->acl_m = r.acl_m;
    job->router_vars = r.router;
    job->captures = r.texts[LOCAL_JOB_TEXT_CAPTURE].v;
    job->captures_n = r.texts[LOCAL_JOB_TEXT_CAPTURE].n;
    job->words = r.texts[LOCAL_JOB_TEXT_WORD].v;
    job->words_n = r.texts[LOCAL_JOB_TEXT_WORD].n;
    *fault = r.fault;
    if (r.fault != NULL)
        *job = (struct local_job){.message = NULL};
    return r.fault == NULL;
}
