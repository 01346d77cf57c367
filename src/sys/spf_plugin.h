/* What the program and the plugin that checks SPF agree on.
 *
 * The plugin is plugins/spf.c, on libspf2, which has faults that are known and not mended: it runs in the inspect process alone, and
 * asks the DNS through who loaded it.
 */
#ifndef REMEX_SYS_SPF_PLUGIN_H
#define REMEX_SYS_SPF_PLUGIN_H

#include "mail/spf.h"

enum spf_plugin_dns { SPF_DNS_FOUND, SPF_DNS_NONE, SPF_DNS_FAILED };

/* The records of an answer: addresses as text, names of hosts, texts. */
struct spf_plugin_records {
    struct str *v;
    size_t n;
};

struct spf_plugin_check {
    const char *ip, *helo, *sender, *receiver; /* of the client; sender: "" for a bounce */
    const char *explanation; /* template of the text for who is refused; "": none */
    const char *guess;       /* record of domains that have none; "": they have none */
    /* Asks the DNS; type: a number of enum dns_type. What it gives is good until it is called again. */
    enum spf_plugin_dns (*ask)(void *ctx, unsigned type, const char *name,
                               struct spf_plugin_records *out);
    void *ctx;
};

enum { SPF_PLUGIN_TEXT = 1025 }; /* IPC_TEXT_MAX and a NUL */

struct spf_plugin_answer {
    enum spf_result result;
    bool guessed;
    char received[SPF_PLUGIN_TEXT], comment[SPF_PLUGIN_TEXT], smtp_text[SPF_PLUGIN_TEXT];
};

/* The one object of the plugin. */
struct spf_plugin {
    void (*check)(const struct spf_plugin_check *c, struct spf_plugin_answer *out);
};

#endif
