"""Peers that mean no good: what looks like the end of a message and is not, lines and headers without end, recipients by the thousand.
Sizes are bounded; limits hold, the session goes on or ends with a clear answer."""

LOOKALIKES = [b'\n.\n', b'\r\n.\n', b'\n.\r\n', b'\r.\r', b'\r\n.\r', b'\r.\r\n', b'\r.\n', b'\n.\r', b'\r\n.\r\r\n', b'\r\r\n.\n',
              b'\r\n\0.\r\n', b'\r\n.\0\r\n', b'\r\n. \r\n', b'\r\n..\r\n']
SMUGGLED = b'MAIL FROM:<evil@x.example>\r\nRCPT TO:<user@example.org>\r\nDATA\r\nSubject: smuggled\r\n\r\nbad'


def session(site, data, status=0, *options):
    """The answers to bytes, as lines without the greeting."""
    r = site.run('-bs', '-odq', *options, stdin=data.decode('latin-1'))
    assert r.status == status, (r.status, r.out, r.err)
    return [line for line in r.out.replace('\r', '').split('\n') if line][1:]


def envelope(to=b'user@example.org'):
    return b'MAIL FROM:<a@b.example>\r\nRCPT TO:<' + to + b'>\r\nDATA\r\n'


def test_only_one_end_of_data(site):
    site.configure(main='smtp_accept_max_per_connection = 0')
    places = [lambda x: b'Subject: x\r\n' + x + SMUGGLED, lambda x: b'Subject: x\r\n\r\nline' + x + SMUGGLED,
              lambda x: b'Subject: x\r\n\r\nline\r\nline' + x + SMUGGLED + x]
    data, n = b'EHLO client\r\n', 0
    for x in LOOKALIKES:
        for place in places:
            data += envelope() + place(x) + b'\r\n.\r\n'
            n += 1
    out = session(site, data + b'QUIT\r\n')
    assert sum(line.startswith('250 OK id=') for line in out) == n, out
    assert sum(line.startswith('354 ') for line in out) == n, out
    assert not any(line.startswith('5') for line in out), out
    assert len(site.queue()) == n
    assert 'evil@' not in '\n'.join(line for line in site.log() if '<= evil' in line)


def test_a_line_without_end(site):
    site.configure()
    out = session(site, b'EHLO client\r\n' + b'x' * 3000000 + b'\r\nNOOP\r\nQUIT\r\n')
    assert out[-3:] == ['500 command line too long', '250 OK', '221 mx.example.org closing connection'], out


def test_a_header_without_end(site):
    site.configure(main='header_maxsize = 100K\nheader_line_maxsize = 50K')
    out = session(site, b'EHLO client\r\n' + envelope() + b'X: ' + b'y' * 1000000 + b'\r\n\r\n.\r\n' + envelope() +
                  b'X: y\r\n' * 100000 + b'\r\n.\r\nNOOP\r\nQUIT\r\n')
    assert '552 A message header line is too long' in out, out
    assert '552 Message header is ridiculously long' in out, out
    assert out[-2:] == ['250 OK', '221 mx.example.org closing connection'], out
    assert site.queue() == []


def test_recipients_without_end(site):
    site.configure(main='recipients_max = 100\nrecipients_max_reject')
    out = session(site, b'EHLO client\r\nMAIL FROM:<a@b.example>\r\n' + b'RCPT TO:<user@example.org>\r\n' * 5000 +
                  b'DATA\r\nQUIT\r\n')
    assert out.count('250 Accepted') == 100, out[:120]
    assert out.count('552 too many recipients') == 4900, out[100:110]
    assert out[-2] == '554 Too many recipients', out[-3:]


def test_pieces_that_do_not_come(site):
    site.configure()
    head = b'EHLO client\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<user@example.org>\r\n'
    for size in (b'99999999999999999999', b'-1', b'0x10', b'1 LAST LAST', b''):
        out = session(site, head + b'BDAT ' + size + b'\r\nRSET\r\nQUIT\r\n')
        assert out[-3] == '501 missing size for BDAT command', (size, out)
    out = session(site, head + b'BDAT 1000 LAST\r\nSubject: x\r\n', 1)
    assert out[-1] == '421 mx.example.org lost input connection', out
    assert site.queue() == []
