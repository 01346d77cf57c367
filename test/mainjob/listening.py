"""A server of a test: it listens on a loopback port, and a thread of its own talks to each client."""
import socket
import threading


class Listening:
    """Whoever inherits has talk(connection), and calls begin() when it is ready for clients."""

    def begin(self):
        self.connections = 0
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.port = self.listener.getsockname()[1]
        self.start_serving()

    def start_serving(self):
        threading.Thread(target=self.serve, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()

    def serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self.talk, args=(connection,), daemon=True).start()
