"""The table of explained differences, and what may be compared at all."""
import os
import re

HERE = os.path.dirname(os.path.abspath(__file__))


class Explained:
    """explained.tsv: kind, pattern of the input, of Exim's answer, of remex's answer, reason.

    kind is expansion, list, config or *; an empty pattern matches anything. Patterns are searched for.
    """

    def __init__(self, path=os.path.join(HERE, 'explained.tsv')):
        self.rows = []
        self.hits = {}
        with open(path, encoding='utf-8') as f:
            for number, line in enumerate(f, 1):
                if not line.strip() or line.startswith('#'):
                    continue
                words = line.rstrip('\n').split('\t')
                if len(words) != 5 or not words[4]:
                    raise SystemExit('%s:%d: five columns, the last with a reason' % (path, number))
                self.rows.append((words[0], [re.compile(w, re.S) for w in words[1:4]], words[4]))

    def reason(self, kind, text, exim, remex):
        for row_kind, patterns, reason in self.rows:
            if row_kind in ('*', kind) and all(p.search(x) for p, x in zip(patterns, (text, exim, remex))):
                self.hits[reason] = self.hits.get(reason, 0) + 1
                return reason
        return None
