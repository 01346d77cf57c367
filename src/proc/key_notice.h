/* Tells, when the daemon starts, of private keys that more processes can read than need to. */
#ifndef REMEX_PROC_KEY_NOTICE_H
#define REMEX_PROC_KEY_NOTICE_H

struct engine;

/* One line of the main log when the mail user, by modes, can read a key of a signature that the configuration names as it is, and that lies
 * where the jails of all roles are open (role_jail_is_open): elsewhere only who signs can get at it. Nothing where
 * the daemon has no root to open it with. */
void key_notice_log(struct engine *e);

#endif
