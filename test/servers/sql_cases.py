"""MariaDB, PostgreSQL and Redis: their cases, run in order since they change what is there, and connections that break."""
import private


class Suite:
    """One server; `option` and what a query looks like come from the class."""

    def __init__(self, tester):
        self.t = tester

    def run(self):
        with self.server(self.t.folder) as s:
            conf = '%s_servers = 127.0.0.1::%d/%s\n' % (self.kind, s.port, self.account)
            self.t.file(self.kind + '.cases', conf + 'DBPORT = %d\nDBSOCKET = %s\n' % (s.port, s.socket),
                        {'DBPORT': str(s.port), 'DBSOCKET': s.socket}, in_order=True)
            self.t.same('none defined', '', self.ask % 1, 'Failed: lookup of "%s" gave DEFER: "no %s servers defined '
                        '(%s_servers option)"' % (self.query % 1, self.name, self.kind))
            self.reconnects(s, conf)

    def reconnects(self, s, conf):
        """Results are kept, not those of changes; a connection that the server closed is opened again."""
        with self.t.session(conf) as ask:
            self.t.check('first', ask(self.ask % 1), '1')
            for answer in self.changed:
                self.t.check('change', ask(self.change), answer)
            s.stop()
            self.t.check('kept', ask(self.ask % 1), '1')
            self.t.check('stopped', ask(self.ask % 2)[:6], 'Failed')
            s.start()
            self.t.check('started', ask(self.ask % 3), '3')
            s.stop()
            s.start()
            self.t.check('restarted', ask(self.ask % 4), '4')

    @property
    def ask(self):
        return '${lookup %s{%s}}' % (self.kind, self.query)


class MysqlSuite(Suite):
    server, kind, name, account = private.Mariadb, 'mysql', 'MySQL', 'test/u/secret'
    query = 'select %d'
    # The table has one row.
    change, changed = '${lookup mysql{delete from counted}}', ('1', '0')


class PgsqlSuite(MysqlSuite):
    server, kind, name = private.Postgres, 'pgsql', 'PostgreSQL'
    change = MysqlSuite.change.replace('mysql', 'pgsql')


class RedisSuite(Suite):
    server, kind, name, account = private.Redis, 'redis', 'Redis', '1/secret'
    query = 'echo %d'
    change, changed = '${lookup redis{incr counted}}', ('1', '2')
