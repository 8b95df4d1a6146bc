"""An HTTP proxy before one server that fails as often as asked: 5xx, cut connections, slow answers. Used by `benches/stores.py`.

    python benches/faulty_proxy.py TARGET_HOST:PORT [--port 0] [--rate 0.2] [--seed 7]

A fault, drawn from the seed, is one of: 503 without asking the server; the connection closed without an answer, after the server
did what was asked; the answer cut in its middle; an answer that waits two seconds. Requests, faults and bytes are counted.
"""

import argparse
import collections
import http.client
import http.server
import random
import threading
import time

KINDS = ("unavailable", "closed", "cut", "slow")


class Proxy(http.server.ThreadingHTTPServer):
    """Listens at loopback; `rate` may be changed while it runs."""

    daemon_threads = True

    def __init__(self, target, port=0, rate=0.0, seed=7):
        super().__init__(("127.0.0.1", port), Handler)
        self.target, self.rate = target, rate
        self.random, self.lock = random.Random(seed), threading.Lock()
        self.requests, self.bytes = collections.Counter(), 0
        self.faults = collections.Counter()
        self.asked = []

    def start(self):
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self.server_address[1]}"

    def fault(self):
        with self.lock:
            if self.random.random() >= self.rate:
                return None
            kind = self.random.choice(KINDS)
            self.faults[kind] += 1
            return kind

    def handle_error(self, request, client_address):
        """A client that was killed is no error of the proxy's."""


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def any(self):
        proxy = self.server
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        kind = proxy.fault()
        with proxy.lock:
            proxy.requests[self.command] += 1
        if kind == "unavailable":
            self.send_response(503)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        server = http.client.HTTPConnection(proxy.target, timeout=60)
        server.request(self.command, self.path, body, dict(self.headers))
        answer = server.getresponse()
        content = answer.read()
        server.close()
        if kind == "slow":
            time.sleep(2)
        if kind == "closed":
            self.close_connection = True
            return
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() not in ("transfer-encoding", "content-length", "connection"):
                self.send_header(name, value)
        length = answer.getheader("Content-Length") if self.command == "HEAD" else len(content)
        self.send_header("Content-Length", str(length or 0))
        self.end_headers()
        if kind == "cut":
            content, self.close_connection = content[: len(content) // 2], True
        if self.command != "HEAD":
            self.wfile.write(content)
            with proxy.lock:
                proxy.bytes += len(content)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = any


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("target")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--rate", type=float, default=0.2)
    parser.add_argument("--seed", type=int, default=7)
    asked = parser.parse_args()
    proxy = Proxy(asked.target, asked.port, asked.rate, asked.seed)
    print(proxy.start(), flush=True)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        print(dict(proxy.requests), dict(proxy.faults), proxy.bytes)


if __name__ == "__main__":
    main()
