/* Tells the comsat daemon of this machine that there is mail. */
#ifndef REMEX_SYS_BIFF_H
#define REMEX_SYS_BIFF_H

#include "base/str.h"

/* Sends "user@offset\n" to port biff (512), UDP, of the loopback address. Nobody may be listening; nothing is waited for. */
void biff_notify(struct str text);

#endif
