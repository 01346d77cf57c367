/* A message on its way to the fast lane: its body stays in memory until everything that can refuse it has spoken, and is
 * then appended with the envelope. What is too large, frozen or only to be queued goes to the standing lane.
 */
#include "conf/main_options.h"
#include "engine/lane.h"
#include "engine/receive_state.h"

#include <errno.h>

bool
receive_lane_wants(const struct receiving *r)
{
    const struct receive_request *rq = r->rq;
    return rq->lane && r->e->lane != NULL && rq->smtp && !rq->own && rq->held == NULL &&
           !rq->queue_only && !rq->extract_recipients && !rq->report_by_mail &&
           !str_is_set(r->e->conf->main->system_filter.text);
}

void
receive_lane_start(struct receiving *r)
{
    struct spool_place place = engine_place(r->e);
    r->lane = true;
    r->body = buf_in(r->a, LANE_BODY_MAX);
    r->log = buf_in(r->a, 0);
    r->entry = (struct spool_entry){
        .dir = -1, .body = -1, .envelope = -1, .calls = r->e->calls, .log = &r->log};
    (void)message_id_parse(r->m->id, &r->entry.id);
    r->entry.sub = place.split ? spool_subdirectory(&r->entry.id) : '\0';
}

bool
receive_lane_put_body(struct receiving *r, const char *p, size_t n)
{
    if (n > LANE_BODY_MAX - r->body.n)
        return false;
    buf_add(&r->body, p, n);
    r->m->body_text = str_tainted(buf_str(&r->body));
    return true;
}

enum spool_result
receive_lane_commit(struct receiving *r, const struct spool_header *h, struct spool_fault *f)
{
    struct durable_fault d;
    struct lane_message m = {.id = h->id, .queue = r->m->queue_name};
    if (!str_is_set(m.queue))
        m.queue = STR_EMPTY;
    if (r->out->frozen || r->out->queue_only)
        return SPOOL_ABSENT;
    if (!spool_header_format(r->a, h, &m.header, f))
        return SPOOL_BAD;
    receive_log_message(r);
    m.log = r->e->conf->main->message_logs ? buf_str(&r->log) : STR_EMPTY;
    if (r->rq->expected != NULL) {
        m.expected = *r->rq->expected;
        *r->rq->expected = false;
    }
    switch (lane_put(r->e->lane, &m, buf_str(&r->body), &r->out->lane, &d)) {
    case LANE_OK:
        r->out->in_lane = true;
        return SPOOL_OK;
    case LANE_UNFIT:
        r->log.n = 0;
        return SPOOL_ABSENT;
    case LANE_FAILED:
        break;
    }
    return spool_system_fault(f, &d);
}
