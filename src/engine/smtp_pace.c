/* Rate limits within a session; see smtp_pace.h. */
#include "engine/smtp_pace.h"

#include "base/num.h"

#include <stdio.h>

static bool
next_field(struct str *rest, struct str *out)
{
    if (rest->n == 0)
        return false;
    size_t comma = str_chr(*rest, ',', 0);
    *out = str_trim(str_sub(*rest, 0, comma == STR_NPOS ? rest->n : comma));
    *rest = comma == STR_NPOS ? STR_EMPTY : str_sub(*rest, comma + 1, rest->n);
    return out->n > 0;
}

bool
smtp_pace_parse(struct str text, struct smtp_pace *out)
{
    struct str f[4];
    uint64_t threshold;
    for (size_t i = 0; i < 4; i++)
        if (!next_field(&text, &f[i]))
            return false;
    if (text.n > 0 || !num_parse_digits(f[0], &threshold) || threshold > INT32_MAX)
        return false;
    out->threshold = (int64_t)threshold;
    return num_parse_interval_ms(f[1], &out->delay_ms) &&
           num_parse_fixed(f[2], &out->factor) == NUM_OK &&
           num_parse_interval_ms(f[3], &out->max_ms);
}

int64_t
smtp_pace_next(const struct smtp_pace *p, int64_t last)
{
    int64_t next = last == 0 ? p->delay_ms : last * p->factor / 1000;
    return next > p->max_ms ? p->max_ms : next;
}

static void
hold(struct smtp_session *s, int64_t ms)
{
    if (s->test) { /* nobody is there to be held up */
        (void)fprintf(stderr, "*** rate limit: delay %lld.%03llds\n", (long long)(ms / 1000),
                      (long long)(ms % 1000));
        return;
    }
    (void)smtp_io_flush(s->io);
    smtp_wait(s, ms);
}

static void
pace(struct smtp_session *s, struct str setting, int64_t count, int64_t *last)
{
    struct smtp_pace p;
    if (s->batch || !str_is_set(setting) || !smtp_pace_parse(setting, &p) ||
        count <= p.threshold ||
        !smtp_host_in(s, &s->main->smtp_ratelimit_hosts, "smtp_ratelimit_hosts"))
        return;
    *last = smtp_pace_next(&p, *last);
    hold(s, *last);
}

void
smtp_pace_mail(struct smtp_session *s)
{
    pace(s, s->main->smtp_ratelimit_mail, s->messages, &s->delay_mail_ms);
}

void
smtp_pace_rcpt(struct smtp_session *s)
{
    pace(s, s->main->smtp_ratelimit_rcpt, s->model->rcpt_count, &s->delay_rcpt_ms);
}
