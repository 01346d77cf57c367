/* smtp_ratelimit_mail, smtp_ratelimit_rcpt: commands that are held up within one session. */
#ifndef REMEX_ENGINE_SMTP_PACE_H
#define REMEX_ENGINE_SMTP_PACE_H

#include "engine/smtp_state.h"

/* "threshold,delay,factor,max". */
struct smtp_pace {
    int64_t threshold;
    int64_t delay_ms, max_ms;
    int64_t factor; /* thousandths */
};
bool smtp_pace_parse(struct str text, struct smtp_pace *out);
/* The delay after one of `last` ms (0: the first). */
int64_t smtp_pace_next(const struct smtp_pace *p, int64_t last);

/* Wait as the client deserves. */
void smtp_pace_mail(struct smtp_session *s);
void smtp_pace_rcpt(struct smtp_session *s);

#endif
