"""Retry times: what a failure means for the next try, for this message and for others. Rules are tested in remote_test and by -brt."""
import os
import time

from remote_test import OUT, Server, dead_port, give, lines_of, remote, retry_records, tool_text

LOCAL = '''
box:
  driver = accept
  senders = :
  transport = box
full:
  driver = accept
  transport = full
'''
FULL = '''
box:
  driver = appendfile
  file = {top}/mail/box
  user = {uid}
  group = {gid}
full:
  driver = appendfile
  file = {top}/mail/full
  quota = 1
  user = {uid}
  group = {gid}
'''
PUT_OFF = '''
bounces:
  driver = accept
  senders = :
  transport = box
off:
  driver = redirect
  allow_defer
  retry_use_local_part
  data = :defer: not now
'''


def queue(site, *to, **more):
    give(site, *to, options=['-odq'], **more)


def test_forced_deliveries_make_nobody_wait_longer(site):
    remote(site, dead_port(), retry='* * G,1d,10m,2')
    queue(site, 'a@far.example')
    for _ in range(3):
        site.run('-qf')
        assert [minutes for _, minutes in retry_records(site).values()] == [10], retry_records(site)


def test_intervals_have_a_limit(site):
    remote(site, dead_port(), retry='* * F,1d,2h', main='retry_interval_max = 20m')
    queue(site, 'a@far.example')
    site.run('-q')
    assert [minutes for _, minutes in retry_records(site).values()] == [20], retry_records(site)


def test_a_message_older_than_its_rule_leaves_the_host_to_others(site):
    remote(site, dead_port(), retry='* * F,1s,1h')
    queue(site, 'a@far.example')
    time.sleep(2.1)
    site.run('-q')
    assert lines_of(site, '** a@far.example: retry timeout exceeded'), site.log()
    assert [minutes for _, minutes in retry_records(site).values()] == [0], retry_records(site)
    queue(site, 'b@far.example')
    site.run('-q')
    assert lines_of(site, '== b@far.example R=remote T=out defer (111): Connection refused'), site.log()


def test_after_the_cutoff_time(site):
    for option, told in (('', '(and retry time not reached)'),
                         ('  no_delay_after_cutoff\n', 'and were last tried after this message arrived')):
        remote(site, dead_port(), option, retry='* * F,1s,1h')
        queue(site, 'a@far.example')
        site.run('-qf')
        queue(site, 'b@far.example')
        time.sleep(2.1)
        site.run('-qf', site.queue()[0], site.queue()[0])   # the host is tried once more, after the second message came
        assert lines_of(site, '** a@far.example: retry timeout exceeded'), site.log()
        site.run('-q')
        assert lines_of(site, "** b@far.example R=remote T=out : all hosts for 'far.example' have been failing for a long time " + told), \
            site.log()
        site.write('log/mainlog', '')


def test_an_error_of_a_message_is_not_that_of_a_host(site):
    """Neither is it added to those that wait for the host, nor are others kept from it."""
    with Server(answers=lambda c: '450 not this one' if c.startswith('MAIL') else None) as server:
        remote(site, server)
        queue(site, 'a@far.example')
        site.run('-q')
        site.run('-q')
        assert server.connections == 1 and 'retry time not reached' in '\n'.join(site.log()), site.log()
        assert tool_text(site, 'wait-out') == ''
        queue(site, 'b@far.example')
        site.run('-q')
        assert server.connections == 2, site.log()


def test_an_address_may_fail_since_the_message_came(site):
    """A first failure of an old message is over its time at once: for a recipient that a host refuses, and in routing."""
    with Server(answers=lambda c: '450 not now' if c.startswith('RCPT') else None) as server:
        remote(site, server, retry='* * F,1s,1h')
        queue(site, 'a@far.example')
        time.sleep(2.1)
        site.run('-q')
    assert ' *' in tool_text(site, 'retry').splitlines()[1], tool_text(site, 'retry')
    site.configure(routers=PUT_OFF, transports=FULL, retry='* * F,1s,1h')
    queue(site, 'x@off.example')
    time.sleep(2.1)
    site.run('-q')
    assert lines_of(site, '** x@off.example: retry timeout exceeded'), site.log()
    records = tool_text(site, 'retry').splitlines()
    assert any(a.startswith('  R:x@off.example ') and b.endswith(' *') for a, b in zip(records, records[1:])), records


def test_after_the_cutoff_time_a_new_message_has_one_local_try(site):
    site.configure(routers=LOCAL, transports=FULL, retry='* quota F,1s,1h')
    queue(site, 'a@local.example')
    time.sleep(2.1)
    site.run('-q')
    queue(site, 'a@local.example')
    site.run('-q')
    assert site.raw_log().count('mailbox is full') == 2 and site.raw_log().count('** a@local.example: retry timeout exceeded') == 2, \
        site.log()


def test_those_whose_time_has_not_come_are_told_first(site):
    site.configure(routers=PUT_OFF, transports=FULL, retry='* * F,1h,1h')
    queue(site, 'a@off.example', 'b@off.example')
    site.run('-q')
    queue(site, 'c@off.example', 'a@off.example', 'd@off.example')
    site.run('-q', site.queue()[-1])
    told = [l.split(' ')[2] for l in lines_of(site, ' == ')]
    assert told[-3:] == ['a@off.example', 'd@off.example', 'c@off.example'], site.log()


ALL_REMOTE = '''
remote:
  driver = manualroute
  route_data = 127.0.0.1
  self = send
  transport = out
'''


def test_report_before_the_next_message(site):
    """What the report of a failure finds out of a host counts for the message that comes next; the run ends behind it."""
    def answers(command):
        if command == 'GREETING' and server.commands:
            return Server.CUT
        return '550 no' if command.startswith('RCPT') else None

    with Server(answers=answers) as server:
        site.configure('queue_run_in_order', routers=ALL_REMOTE, transports=OUT % (server.port, ''), retry='* * F,1h,1h')
        give(site, 'x@far.example', options=('-odq',))
        give(site, 'y@far.example', options=('-odq',))
        assert site.run('-q').status == 0
    log = site.log()
    assert any(' ** x@far.example' in line for line in log) and any(' == s@here.example' in line for line in log), log
    assert any(' == y@far.example' in line and 'retry time not reached' in line for line in log), log
    assert log[-1].startswith('End queue run'), log


def test_who_waits_for_a_delivery_waits_for_its_report(site):
    def slow(command):
        time.sleep(0.5 if command.startswith('RCPT TO:<s@') else 0)
        return '550 no' if command.startswith('RCPT TO:<x@') else None

    with Server(answers=slow) as server:
        site.configure(routers=ALL_REMOTE, transports=OUT % (server.port, ''))
        give(site, 'x@far.example', options=('-odi',))
        assert any(' => s@here.example' in line for line in site.log()), site.log()


def test_rule_for_one_error(site):
    """Times hold in a queue run although no rule is for all errors."""
    for error, place in (('rcpt_4xx', 'RCPT'), ('rcpt_451', 'RCPT'), ('rcpt_45x', 'RCPT'), ('mail_45x', 'MAIL'), ('data_451', 'END'),
                         ('refused', None)):
        with Server(answers=lambda c: '451 later' if place and c.startswith(place) else None) as server:
            remote(site, server if place else dead_port(), retry='* %s F,1h,1h' % error)
            give(site, 'a@far.example', options=('-odi',))
            before = server.connections
            site.run('-q')
            assert server.connections == before == (1 if place else 0), (error, site.log())
        assert any('retry time not reached' in line for line in site.log()), (error, site.log())
        for mid in site.queue():
            site.run('-Mrm', mid)
        for name in os.listdir(site.path('spool/db')):
            os.unlink(site.path('spool/db/' + name))
        os.unlink(site.path('log/mainlog'))
