/* What the values of main options must be, alone and with each other, once the file has been read. */
#ifndef REMEX_CONF_MAIN_CHECK_H
#define REMEX_CONF_MAIN_CHECK_H

struct conf;
struct diags;

/* Adds what is wrong, in Exim's order. */
void main_check(const struct conf *c, struct diags *diags);

#endif
