"""A real browser, Debian's Chromium without a window, and pages for it that come from an origin of their own."""
import contextlib
import http.server
import os
import socket
import threading

from playwright.sync_api import sync_playwright

CHROMIUM = os.environ.get("CHROMIUM") or "/usr/bin/chromium"
SECONDS = 20

# What every page has: the URL's answer as a page sees it, and pieces of a body put together.
SCRIPT = """
<!doctype html><title>page</title><script>
async function call(url, options) {
  const response = await fetch(url, options);
  return { status: response.status, headers: Object.fromEntries(response.headers), type: response.type,
           body: Array.from(new Uint8Array(await response.arrayBuffer())) };
}
// Reads to the end: the text, when each piece came, and whether the body was broken off.
async function read(url, options) {
  const response = await fetch(url, options);
  const found = { status: response.status, headers: Object.fromEntries(response.headers), text: "", times: [], broken: false };
  const reader = response.body.getReader(), decoder = new TextDecoder();
  try {
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
      found.text += decoder.decode(piece.value, { stream: true });
      found.times.push(performance.now());
    }
  } catch (error) {
    found.broken = error instanceof TypeError;
  }
  return found;
}
</script>
"""


class PageServer:
    """Serves the page above; its `origin` is not the gateway's."""

    def __init__(self):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                body = SCRIPT.encode()
                self.send_response(200)
                self.send_header("content-type", "text/html; charset=utf-8")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.origin = f"http://localhost:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(5)


@contextlib.contextmanager
def chromium():
    """A browser that takes any certificate. As root it has no sandbox; it opens only the tests' own pages."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            context = browser.new_context(ignore_https_errors=True)
            context.set_default_timeout(SECONDS * 1000)
            yield context
        finally:
            browser.close()


class Relay:
    """Stands between a browser and the gateway's port, and breaks the connections when it is told to."""

    def __init__(self, port):
        self.target, self.pairs, self.lock = ("127.0.0.1", port), [], threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                gateway = socket.create_connection(self.target)
                with self.lock:
                    self.pairs.append((client, gateway))
                for source, sink in ((client, gateway), (gateway, client)):
                    threading.Thread(target=self._pass, args=(source, sink), daemon=True).start()

    @staticmethod
    def _pass(source, sink):
        with contextlib.suppress(OSError):
            while piece := source.recv(65536):
                sink.sendall(piece)
            sink.shutdown(socket.SHUT_WR)

    def cut(self):
        with self.lock:
            pairs, self.pairs = self.pairs, []
        for pair in pairs:
            for one in pair:
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
                one.close()

    def close(self):
        self.listener.close()
        self.cut()
