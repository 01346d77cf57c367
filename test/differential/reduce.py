"""Makes a differing case small: tries shorter texts, keeps one on which the programs still differ."""
import re

ROUNDS = 30
CANDIDATES = 400


def spans(text):
    """(start, end) of balanced {...}, the brace and a `$` before it included"""
    stack, out = [], []
    i = 0
    while i < len(text):
        if text[i] == '\\':
            i += 2
            continue
        if text[i] == '{':
            stack.append(i)
        elif text[i] == '}' and stack:
            out.append((stack.pop(), i + 1))
        i += 1
    return out


def shorter(text):
    """Texts that are smaller than this one, most promising first, each once."""
    seen = set()
    for start, end in sorted(spans(text), key=lambda s: s[0] - s[1]):
        dollar = start > 0 and text[start - 1] == '$'
        if dollar:
            for put in ('', 'a', '1'):
                seen.add(text[:start - 1] + put + text[end:])
            seen.add('~' + text[start - 1:end] + '~')
        else:
            for put in ('', 'a'):
                seen.add(text[:start + 1] + put + text[end - 1:])
            seen.add(text[:start] + text[end:])
    for m in re.finditer(r'[:;,] ?[^:;,{}]*', text):
        seen.add(text[:m.start()] + text[m.end():])
    if len(text) < 160:
        for i in range(len(text)):
            seen.add(text[:i] + text[i + 1:])
    good = [t for t in seen if len(t) < len(text) and t and not t.endswith('\\') and t[:1] not in ' \t']
    return sorted(good, key=len)[:CANDIDATES]


def reduce_line(text, differs):
    """differs(list of texts) -> list of bool"""
    for _ in range(ROUNDS):
        tries = shorter(text)
        if not tries:
            break
        hit = [t for t, d in zip(tries, differs(tries)) if d]
        if not hit:
            break
        text = hit[0]
    return text


def reduce_config(case, differs):
    lines = case.text.rstrip('\n').split('\n')
    for _ in range(ROUNDS):
        tries = [lines[:i] + lines[i + 1:] for i in range(len(lines))]
        hit = [t for t, d in zip(tries, differs([case.with_lines(t) for t in tries])) if d]
        if not hit:
            break
        lines = hit[0]
    return case.with_lines(lines)
