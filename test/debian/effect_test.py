"""Every row of effects.py shows its effect; every name of the shared table is there; our files have the blocks of Debian's."""
import glob
import os
import re
import shutil
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import effects
import machine
import route_test
import update_test

ROOT = machine.ROOT


def table():
    """Rows of the shared table, or None where that is not there."""
    for place in ('..', '../..'):
        path = os.path.join(ROOT, place, 'shared/compat/debian.tsv')
        if os.path.exists(path):
            with open(path, encoding='utf-8') as f:
                return [line.rstrip('\n').split('\t') for line in f][1:]
    print('../shared/compat/debian.tsv is not there: names are not compared with it')
    return None


def base_of(row):
    kind, _, more = row.base.partition(':')
    return kind, dict(a.split('=') for a in more.split(',') if a)


def look(site, row, kind, answers, macros, files):
    """What the program says; where it fails, that is the answer too."""
    kept = {}
    for path, text in files.items():
        if os.path.exists(path):
            kept[path] = open(path, encoding='utf-8').read()
        machine.write(path, text)
    try:
        conf = machine.made(site, kind, macros + '\n', **answers)
        return machine.program([site.binary, '-C', conf] + row.argv, row.stdin)[1]
    finally:
        for path in files:
            if path in kept:
                machine.write(path, kept[path])
            elif not path.startswith('/etc/remex/'):
                os.unlink(path)


def fault(site, row):
    """None, or what is wrong."""
    always = {p[1:]: t for p, t in row.files.items() if p.startswith('=')}
    alone = {p: t for p, t in row.files.items() if p.startswith('/')}
    machine.restore_remex()
    shutil.rmtree('/etc/other', ignore_errors=True)
    kind, answers = base_of(row)
    without = look(site, row, kind, answers or {k: v for k, v in row.answers.items() if row.macros}, row.common, always)
    machine.restore_remex()
    with_it = look(site, row, row.kind, row.answers, row.common + '\n' + row.macros, dict(always, **alone))
    found = [bool(re.search(row.pattern, text, re.M)) for text in (without, with_it)]
    if found == [row.gone, not row.gone]:
        return None
    return '%s: %r\n--- without\n%s\n--- with\n%s' % (row.name, found, without[-1500:], with_it[-1500:])


def test_every_row_shows_its_effect(site):
    faults = [f for f in (fault(site, r) for r in effects.ROWS) if f]
    assert not faults, '%d of %d:\n%s' % (len(faults), len(effects.ROWS), '\n'.join(faults))


def test_tests_elsewhere_are_there(site):
    for name, where in effects.ELSEWHERE.items():
        module, function = where.split('.')
        assert callable(getattr({'update_test': update_test, 'route_test': route_test}[module], function, None)), name


def test_every_name_of_the_table_has_a_test(site):
    rows = table()
    if rows is None:
        return
    known = {r.name for r in effects.ROWS} | set(effects.ELSEWHERE) | set(effects.UNTESTED)
    missing = [r[1] for r in rows if r[0] in ('macro', 'dc_variable', 'generated_macro', 'file')
               and not r[1].startswith(effects.OF_THE_PACKAGE) and r[1] not in known
               and r[1].replace('/etc/exim4/', '') not in known]
    assert not missing, missing


def blocks(text):
    return re.findall(r'^(\w+):', text, re.M)


def test_our_files_have_the_blocks_of_debians(site):
    rows = table()
    if rows is None:
        return
    for _, name, _, effect, *_ in (r for r in rows if r[0] == 'conf.d_file'):
        section, file = name.split('/')
        number = file.split('_')[0]
        text = ''.join(open(p, encoding='utf-8').read() for p in glob.glob('%s/conf.d/%s/%s_*' % (ROOT, section, number)))
        assert text, name
        if effect.startswith('defines: '):
            missing = set(effect[9:].split(', ')) - set(blocks(text))
            assert not missing, (name, missing)


def test_sections_come_in_debians_order(site):
    rows = table()
    if rows is None:
        return
    order = [r[1] for r in sorted((r for r in rows if r[0] == 'conf.d_section'), key=lambda r: int(r[2]))]
    machine.restore_remex()
    for s in order:
        machine.write('/etc/remex/conf.d/%s/zz_mark' % s, '# mark %s\n' % s)
    machine.update(site, machine.answers('internet'), '--keepcomments')
    assert re.findall('# mark (.*)', open(machine.MADE, encoding='utf-8').read()) == order


def test_exim4_reads_our_files(site):
    if machine.peer() is None:
        return
    for kind in ('internet', 'smarthost', 'satellite', 'local'):
        machine.restore_remex()
        status, said = machine.program([machine.peer(), '-C', machine.made(site, kind), '-bV'])
        assert status == 0, said
