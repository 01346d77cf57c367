"""The questions of the package, in English and Korean, and what is to be seen of them on a screen."""
import os
import re

from terminal import faults, letters

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
KOREAN = 'ko_KR.UTF-8'
ORDER = {
    'internet': 'mailname dc_local_interfaces dc_other_hostnames dc_relay_domains dc_relay_nets dc_minimaldns dc_localdelivery '
                'use_split_config',
    'smarthost': 'mailname dc_local_interfaces dc_other_hostnames dc_relay_nets dc_smarthost hide_mailname dc_readhost dc_minimaldns '
                 'dc_localdelivery use_split_config',
    'none': 'no_config use_split_config',
}
CHOICES = ('internet', 'smarthost', 'satellite', 'local', 'none')


def read(path):
    with open(path, encoding='utf-8') as f:
        return f.read()


def translations(path):
    """{msgid: msgstr} of a .po file."""
    string = r'((?:"(?:[^"\\]|\\.)*"\s*)+)'
    plain = lambda text: re.sub(r'\\(.)', r'\1', ''.join(re.findall(r'"((?:[^"\\]|\\.)*)"', text)))
    return {plain(a): plain(b) for a, b in re.findall('^msgid %s^msgstr %s' % (string, string), read(path), re.M)}


def questions(language):
    """{name: [title, paragraph, ...]} of each question; the choices of one come last."""
    known = translations(ROOT + '/debian/po/ko.po') if language == KOREAN else {}
    found = {}
    for part in read(ROOT + '/debian/remex-config.templates').split('\n\n'):
        name = re.search(r'^Template: remex/(\S+)', part).group(1)
        title, body = re.search(r'^_Description: (.*)\n?((?: .*\n?)*)', part, re.M).groups()
        choices = re.search(r'^__Choices: (.*)', part, re.M)
        paragraphs = [' '.join(l.strip() for l in p.split('\n')).strip() for p in body.split('\n .\n')]
        texts = [title] + [p for p in paragraphs if p] + (re.split(r', ', choices.group(1)) if choices else [])
        missing = [t for t in texts if known and not known.get(t)]
        assert not missing, missing
        found[name] = [known.get(t, t) for t in texts]
    return found


class Shown:
    """Which question a screen shows, and whether all of it is there."""

    def __init__(self, language):
        self.questions = {n: t for n, t in questions(language).items() if n != 'config-title'}

    def name(self, screen):
        there = letters(screen)
        found = [n for n, texts in self.questions.items() if letters(texts[0]) in there]
        assert len(found) == 1, '%s is asked by:\n%s' % (found, screen)
        return found[0]

    def judged(self, screen):
        """The name of the question; a screen that does not read well is an error."""
        name = self.name(screen)
        there = letters(screen)
        cut = [t for t in self.questions[name] if letters(t) not in there]
        assert not cut, 'of %s not all is there: %s\n%s' % (name, cut, screen)
        assert not faults(screen), '%s: %s\n%s' % (name, faults(screen), screen)
        return name


def walk(terminal, shown, kind, answers, last=None):
    """Answers the questions one by one, by what to type for each; others are taken as they are. The names in the order of the screens."""
    asked, screen = [], None
    while True:
        screen = terminal.settled(screen)
        if terminal.ended() is not None or last and last in letters(screen):
            return asked
        name = shown.judged(screen)
        asked.append(name)
        assert len(asked) < 30, asked
        if name == 'dc_eximconfig_configtype':
            terminal.type('Home', *['Down'] * CHOICES.index(kind))
        terminal.type(*answers.get(name, []), 'Enter')
