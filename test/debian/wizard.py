"""dpkg-reconfigure at a terminal of the fresh system: every question is seen, reads well, and its answer counts."""
import re

import questions
from terminal import Terminal

ANSWERS = {
    'internet': {'mailname': ['C-u', '=typed.example'], 'dc_relay_domains': ['C-u', '=relay.example']},
    'smarthost': {'dc_smarthost': ['C-u', '=smart.example'], 'hide_mailname': ['Left', 'Left'],
                  'dc_readhost': ['C-u', '=shown.example']},
    'none': {},
}


def settings(m):
    return dict(re.findall(r"^(\w+)='(.*)'$", m.read('/etc/remex/update-remex.conf.conf'), re.M))


def reconfigure(m, language, kind, answers=None):
    """The names of the questions that were asked."""
    argv = ['chroot', m.root, 'dpkg-reconfigure', '-p', 'low', 'remex-config']
    shown = questions.Shown(language)
    with Terminal(argv, {'LANG': language, 'PATH': m.ENVIRONMENT['PATH'], 'DEBIAN_FRONTEND': 'dialog'}) as t:
        asked = questions.walk(t, shown, kind, answers or ANSWERS[kind])
        assert t.ended() == 0 and asked, t.screen()
    return asked


def drive(m, language):
    m.configure({})
    for kind, order in questions.ORDER.items():
        asked = reconfigure(m, language, kind)
        assert asked == ['dc_eximconfig_configtype'] + order.split(), (kind, asked)
        s = settings(m)
        assert s['dc_eximconfig_configtype'] == kind, (kind, s)
        if kind == 'internet':
            assert m.read('/etc/mailname') == 'typed.example\n' and s['dc_relay_domains'] == 'relay.example', s
            m.configure({})
        if kind == 'smarthost':
            assert (s['dc_smarthost'], s['dc_hide_mailname'], s['dc_readhost']) == ('smart.example', 'true', 'shown.example'), s
