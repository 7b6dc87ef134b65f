#!/usr/bin/env python3
"""judge.py DIR VERSION: one line a CVE: "CVE-ID affected|not-affected|unknown BRANCHFIX|- MAINLINEFIX|-".

DIR is searched for *.dyad files. Written from the rule in reference/vulns.md alone: play the events of V's release line in
order. BRANCHFIX is the lowest fixed version on V's own X.Y above V, MAINLINEFIX the lowest mainline one above V; both are
given whatever the verdict is. Lines are sorted by year and number.
"""
import os
import re
import sys

VERSION = re.compile(r'(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)(?:\.(0|[1-9][0-9]*))?(?:\.(0|[1-9][0-9]*))?(?:-rc([1-9][0-9]*))?')
SHA = re.compile('[0-9a-f]{40}')
ALWAYS = None
BIG = 1 << 40


def version(text):
    """(line, stable, rc) with line = (X, Y[, N]); ALWAYS for "0"; ValueError for the rest."""
    if text == '0':
        return ALWAYS
    m = VERSION.fullmatch(text)
    if not m:
        raise ValueError(text)
    x, y, z, p, rc = [None if g is None else int(g) for g in m.groups()]
    if x == 2 and y in (4, 6):
        if z is None:
            raise ValueError(text)
        line, stable = (x, y, z), p or 0
    elif x >= 3 and p is None:
        line, stable = (x, y), z or 0
    else:
        raise ValueError(text)
    if rc is not None and stable:
        raise ValueError(text)
    return line, stable, BIG if rc is None else rc


def show(v):
    if v is None:
        return '-'
    line, stable, rc = v
    return '.'.join(map(str, line)) + (f'.{stable}' if stable else '') + (f'-rc{rc}' if rc != BIG else '')


def pairs(path):
    with open(path, 'rb') as f:
        text = f.read().decode('latin-1')
    for row in text.split('\n'):
        if not row or row.startswith('#') or len(row) > 1024:
            continue
        fields = row.split(':')
        try:
            if len(fields) != 4:
                raise ValueError(row)
            ends = []
            for v, sha in ((fields[0], fields[1]), (fields[2], fields[3])):
                if (v == '0') != (sha == '0') or not (sha == '0' or SHA.fullmatch(sha)):
                    raise ValueError(row)
                ends.append((version(v), sha))
            yield ends
        except ValueError:
            print(f'{path}: skipped: {row!r}', file=sys.stderr)


def mainline(v):
    return v[1] == 0


def judge(rows, v):
    if not rows:
        return 'unknown', None, None
    events = set()
    fixes = set()
    for (intro, _), (fix, fix_sha) in rows:
        if intro is ALWAYS:
            events.add((((0,), 0, 0), 0))
        elif intro <= v and (mainline(intro) or intro[0] == v[0]):
            events.add((intro, 0))
        if fix_sha != '0':
            fixes.add(fix)
            if fix <= v and (mainline(fix) or fix[0] == v[0]):
                events.add((fix, 1))
    vulnerable = False
    for _, fixed in sorted(events):     # at one release the fix comes behind the introduction
        vulnerable = not fixed
    branch = min((f for f in fixes if f[0] == v[0] and f > v), default=None)
    main = min((f for f in fixes if mainline(f) and f > v), default=None)
    return 'affected' if vulnerable else 'not-affected', branch, main


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    v = version(sys.argv[2])
    found = []
    for top, _, names in os.walk(sys.argv[1]):
        for name in names:
            m = re.fullmatch(r'(CVE-([0-9]{4})-([0-9]{4,7}))\.dyad', name)
            if m:
                found.append((int(m[2]), int(m[3]), m[1], os.path.join(top, name)))
    for _, _, cve, path in sorted(found):
        verdict, branch, mainfix = judge(list(pairs(path)), v)
        print(cve, verdict, show(branch), show(mainfix))


main()
