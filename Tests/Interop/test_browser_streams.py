"""REST streams in Chromium: EventSource and its reconnects, `fetch` in every form, errors, uploads and downloads."""
import base64
import json

import pytest

from support.browser import Relay

FORMS = {"array": "application/json", "ndjson": "application/x-ndjson", "sse": "text/event-stream"}


# Everything an EventSource says until `enough` events came: [type, data, lastEventId].
EVENTS = """async ([url, enough]) => new Promise((resolve) => {
  const found = [], source = new EventSource(url);
  const end = () => { source.close(); resolve(found); };
  const take = (event) => {
    found.push([event.type, event.data, event.lastEventId]);
    if (found.length >= enough || event.type == "end" || event.type == "rpc-error") end();
  };
  for (const type of ["open", "message", "end", "rpc-error"]) source.addEventListener(type, take);
  source.addEventListener("error", () => {
    found.push(["error", source.readyState]);
    if (source.readyState == EventSource.CLOSED) end();
  });
})"""


def test_an_event_source(page, base):
    found = page.evaluate(EVENTS, [f"{base}/v1/stream?count=3&interval=0.05s", 99])
    assert [event[0] for event in found] == ["open", "message", "message", "message", "end"]
    assert [json.loads(event[1]) for event in found[1:]] == [{}, {"index": 1}, {"index": 2}, {}]
    # proto3 leaves out an index of 0: that event has no id.
    assert [event[2] for event in found[1:4]] == ["", "1", "2"]


def test_an_event_source_comes_back_where_it_was(web, page):
    """Its connection is broken twice; no message is lost and none comes twice."""
    relay = Relay(int(web.plain.rsplit(":", 1)[1]))
    page.expose_function("cut", relay.cut)
    try:
        found = page.evaluate("""async (url) => new Promise((resolve) => {
          const seen = [], source = new EventSource(url);
          let opened = 0;
          source.onopen = () => { opened += 1; };
          source.onmessage = async (event) => {
            seen.push(JSON.parse(event.data).index ?? 0);
            if (seen.length == 3 || seen.length == 6) await window.cut();
          };
          source.addEventListener("end", () => { source.close(); resolve([seen, opened]); });
        })""", f"http://127.0.0.1:{relay.port}/v1/stream?count=12&interval=0.1s")
    finally:
        relay.close()
    seen, opened = found
    assert opened == 3
    assert seen == list(range(12))


def test_heartbeats_are_not_seen(page, base):
    found = page.evaluate(EVENTS, [f"{base}/v1/stream?count=2&interval=0.7s", 99])
    assert [event[0] for event in found] == ["open", "message", "message", "end"]


def test_an_event_source_does_not_repeat_an_early_error(page, base):
    """Its status is no 200, so the browser gives up (SEMANTICS f.3)."""
    found = page.evaluate(EVENTS, [f"{base}/v1/nowhere", 99])
    assert found == [["error", 2]]


@pytest.mark.parametrize("form", FORMS)
def test_a_stream_comes_piece_by_piece(page, base, form):
    found = page.evaluate("([url, accept]) => read(url, { headers: { accept } })",
                          [f"{base}/v1/stream?count=4&interval=0.2s", FORMS[form]])
    assert found["status"] == 200 and not found["broken"]
    assert found["headers"]["content-type"] == FORMS[form]
    assert found["times"][-1] - found["times"][0] > 450, found["times"]
    text = found["text"]
    items = [{}, {"index": 1}, {"index": 2}, {"index": 3}]
    if form == "array":
        assert json.loads(text) == items
    elif form == "ndjson":
        assert [json.loads(line) for line in text.splitlines()] == items
    else:
        assert [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: ")] == [*items, {}]


@pytest.mark.parametrize("form", FORMS)
def test_an_error_amid_a_stream_is_seen(page, base, form):
    body = json.dumps({"code": 15, "message": "lost", "messagesBefore": 2})
    found = page.evaluate(
        "([url, accept, body]) => read(url, { method: 'POST', body, headers: { accept, 'content-type': 'application/json' } })",
        [f"{base}/v1/fail-stream", FORMS[form], body])
    error = {"code": 15, "message": "lost"}
    assert found["status"] == 200
    assert found["broken"] == (form != "sse")
    if form == "array":
        assert json.loads(found["text"] + "]") == [{}, {"index": 1}, {"error": error}]
    elif form == "ndjson":
        assert [json.loads(line) for line in found["text"].splitlines()] == [{}, {"index": 1}, {"error": error}]
    else:
        assert found["text"].endswith("event: rpc-error\ndata: " + json.dumps(error, separators=(",", ":")) + "\n\n")


@pytest.mark.parametrize("form", FORMS)
def test_an_early_error_has_its_status(page, base, form):
    found = page.evaluate(
        "([url, accept]) => read(url, { method: 'POST', body: '{\"code\":7,\"message\":\"no\"}',"
        " headers: { accept, 'content-type': 'application/json' } })", [f"{base}/v1/fail-stream", FORMS[form]])
    assert (found["status"], json.loads(found["text"]), found["broken"]) == (403, {"code": 7, "message": "no"}, False)


def test_a_page_that_stops_reading_ends_the_call(web, page, base, echo):
    key = "page-leaves-" + base[:5].rstrip(":")
    page.evaluate("""async (url) => {
      const leave = new AbortController();
      const response = await fetch(url, { signal: leave.signal, headers: { accept: "application/x-ndjson" } });
      await response.body.getReader().read();
      leave.abort();
    }""", f"{base}/v1/stream?count=1000000&interval=0.05s&key={key}")
    assert echo.journal.wait(key, "cancelled", 10)


@pytest.mark.parametrize("content_type, body", [
    ("application/json", '{"index":1,"payload":"eHg="} {"payload":"eHh4"}'),
    ("application/json", '[{"index":1,"payload":"eHg="},{"payload":"eHh4"}]'),
    ("application/x-ndjson", '{"index":1,"payload":"eHg="}\n{"payload":"eHh4"}\n')])
def test_a_client_stream(page, base, content_type, body):
    found = page.evaluate("([url, type, body]) => read(url, { method: 'POST', body, headers: { 'content-type': type } })",
                          [f"{base}/v1/client-stream", content_type, body])
    assert (found["status"], json.loads(found["text"])) == (200, {"messages": "2", "bytes": "5"})


def test_a_request_that_is_streamed(web, page):
    """Browsers do that over HTTP/2 only, and read the answer behind it."""
    found = page.evaluate("""async (url) => {
      const lines = new ReadableStream({
        async start(controller) {
          for (let index = 1; index <= 5; index++) {
            controller.enqueue(new TextEncoder().encode(JSON.stringify({ index }) + "\\n"));
            await new Promise((resolve) => setTimeout(resolve, 50));
          }
          controller.close();
        } });
      return read(url, { method: "POST", body: lines, duplex: "half",
        headers: { "content-type": "application/x-ndjson", accept: "application/x-ndjson" } });
    }""", f"{web.tls}/v1/bidi")
    assert [json.loads(line)["index"] for line in found["text"].splitlines()] == [1, 2, 3, 4, 5]


def test_a_file_is_uploaded(page, base):
    found = page.evaluate("""async (url) => {
      const data = new Uint8Array(3000000).map((_, index) => index * 7);
      return read(url, { method: "POST", body: new Blob([data], { type: "video/mp4" }) });
    }""", f"{base}/v1/store/films/a.mp4")
    assert found["status"] == 200
    stored = json.loads(found["text"])
    assert (stored["name"], stored["contentType"], stored["size"]) == ("films/a.mp4", "video/mp4", "3000000")
    first = json.loads(found["text"])["content"]["data"] if "data" in stored.get("content", {}) else None
    assert first is None or base64.b64decode(first) == bytes(index * 7 % 256 for index in range(100))
    assert int(stored["pieces"]) > 40


def test_a_file_is_downloaded(page, base):
    found = page.evaluate("""async (url) => {
      const response = await fetch(url), blob = await response.blob();
      return [response.status, blob.type, blob.size];
    }""", f"{base}/v1/download?pieces=3&size=1000000&contentType=video/mp4")
    assert found == [200, "video/mp4", 3000000]


def test_a_download_that_breaks_is_not_taken_for_whole(page, base):
    found = page.evaluate("""async (url) => {
      const response = await fetch(url);
      return response.blob().then((blob) => blob.size, (error) => error.name);
    }""", f"{base}/v1/download?pieces=2&size=1000&code=15")
    assert found == "TypeError"


def test_a_page_has_many_streams_over_http2(web, page):
    """HTTP/1.1 has six connections to a host; and the user's cookies go along where the page asks for that."""
    found = page.evaluate("""async (url) => Promise.all(Array.from({ length: 60 }, (_, number) => new Promise((resolve) => {
      const source = new EventSource(`${url}?count=3&interval=0.2s&key=many-${number}`, { withCredentials: true });
      const keys = [];
      source.onmessage = (event) => keys.push(JSON.parse(event.data).key);
      source.addEventListener("end", () => { source.close(); resolve(keys); });
    })))""", f"{web.tls}/v1/stream")
    assert found == [[f"many-{number}"] * 3 for number in range(60)]
