"""The fixed sample: lines with the answers that Exim 4.96 gave, in sample.tsv.

Columns: kind (expansion, list, config), input, answer; for config the questions come first, in brackets. Written by
`run --record-sample`, read by `sample`.
"""
import json
import os
import re
import tempfile

import confgen
import engine
import explain
import grammar
import world

HERE = os.path.dirname(os.path.abspath(__file__))
SHARE = {'expansion': 400, 'list': 150, 'config': 80}


def escape(text):
    return ''.join(c if ' ' <= c <= '~' and c != '\\' else {'\n': '\\n', '\t': '\\t', '\\': '\\\\'}.get(c, '\\x%02x' % ord(c))
                   for c in text)


def unescape(text):
    def one(m):
        c = m.group(1)
        return chr(int(c[1:], 16)) if c[0] == 'x' else {'n': '\n', 't': '\t', '\\': '\\'}[c]
    return re.sub(r'\\(x[0-9a-f]{2}|[nt\\])', one, text)


def record(path, peer, random):
    rows = []
    for kind in ('expansion', 'list'):
        g = grammar.Generator(random)
        texts = [g.line(kind == 'list') for _ in range(SHARE[kind])]
        answers = peer.expand([t.replace('@DIR@', peer.world.folder) for t in texts])
        rows += [(kind, t, a) for t, a in zip(texts, answers)]
    g = confgen.ConfGenerator(random)
    for _ in range(SHARE['config']):
        c = g.case()
        rows.append(('config', json.dumps(c.queries) + c.text, peer.configure(c)))
    with open(path, 'w', encoding='utf-8') as f:
        f.write('# Inputs and the answers of Exim 4.96; written by `run --record-sample`.\n')
        for kind, text, answer in rows:
            if not answer.startswith(('crash', 'dies')):
                f.write('%s\t%s\t%s\n' % (kind, escape(text), escape(answer)))
    return 0


def load(path):
    with open(path, encoding='utf-8') as f:
        for line in f:
            if not line.startswith('#'):
                kind, text, answer = line.rstrip('\n').split('\t')
                yield kind, unescape(text), unescape(answer)


def case_of(text):
    queries, end = json.JSONDecoder().raw_decode(text)
    return confgen.Case(text[end:], queries)


def check(binary, path):
    """-> (passed, failed)"""
    explained = explain.Explained()
    passed = failed = 0
    with tempfile.TemporaryDirectory(prefix='differential-') as folder:
        program = engine.Engine(binary, world.World(folder))
        rows = list(load(path))
        lines = [r for r in rows if r[0] != 'config']
        got = dict(zip(map(id, lines), program.expand([t.replace('@DIR@', folder) for _, t, _ in lines])))
        for row in rows:
            kind, text, want = row
            answer = got.get(id(row))
            if kind == 'config':
                case = case_of(text)
                want = confgen.only_set_options(case, want)
                answer = confgen.only_set_options(case, program.configure(case))
            if answer == want or explained.reason(kind, text, want, answer):
                passed += 1
                continue
            failed += 1
            print('%s: %s\n  want %s\n  got  %s' % (kind, escape(text), escape(want), escape(answer)))
    return passed, failed
