"""A scanner that follows a script: what it says, what it must have heard, when it keeps silent."""
import os
import socket
import threading
import time

PATIENCE_S = 20


class Script:
    """steps: bytes are said; 'line', 'end', 'all N' or b'...' in a tuple is heard up to; a number is a pause in seconds. One connection is
    served, others wait. where: how av_scanner and spamd_address name it."""

    def __init__(self, *steps, path=None):
        self.steps, self.path, self.heard, self.fault, self.over = steps, path, [], None, False

    def __enter__(self):
        if self.path:
            self.listener = socket.socket(socket.AF_UNIX)
            self.listener.bind(self.path)
            os.chmod(self.path, 0o777)
            self.listener.listen(5)
            self.where = self.address = self.path
        else:
            self.listener = socket.create_server(('127.0.0.1', 0))
            port = self.listener.getsockname()[1]
            self.where, self.address = '127.0.0.1 %d' % port, '[127.0.0.1]:%d' % port
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over = True
        with socket.socket(self.listener.family) as wake:   # who waits for a client waits no longer
            wake.connect(self.listener.getsockname())
        self.thread.join(PATIENCE_S)
        self.listener.close()
        if self.fault is not None:
            raise self.fault

    def hear(self, c, what):
        got = b''
        while what == 'end' or what not in got:
            piece = c.recv(65536)
            if not piece:
                break
            got += piece
        self.heard.append(got)

    def pause(self, seconds):
        end = time.monotonic() + seconds
        while not self.over and time.monotonic() < end:
            time.sleep(0.01)

    def serve(self):
        c, _ = self.listener.accept()
        if self.over:       # nobody came
            c.close()
            return
        try:
            c.settimeout(PATIENCE_S)
            for s in self.steps:
                if isinstance(s, bytes):
                    c.sendall(s)
                elif isinstance(s, tuple):
                    self.hear(c, s[0])
                elif isinstance(s, str):
                    self.hear(c, b'\n' if s == 'line' else s)
                else:
                    self.pause(s)
        except (BrokenPipeError, ConnectionResetError):
            pass
        except Exception as e:
            self.fault = e
        finally:
            c.close()
