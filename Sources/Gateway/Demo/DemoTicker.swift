import ProtoRuntime
import Transcode

/// TickerService.Watch: one message at every interval, or as fast as the client takes them.
final class DemoTicker: LocalHandler, TimerTarget {
    static let defaultIntervalNanoseconds: Int64 = 1_000_000_000
    /// The loop's timers tick in milliseconds.
    static let minimumIntervalNanoseconds: Int64 = 1_000_000
    static let symbolBytesMax = 100

    private unowned let call: LocalCall
    private var request = Demo.WatchRequest()
    private var sequence: Int64 = 0
    private var price = 100.0
    private var random = SystemRandomNumberGenerator()
    /// 0: no waiting between messages.
    private var interval: Int64 = 0
    /// When the next tick is due, by the loop's clock.
    private var due: Int64 = 0
    private var timer: EventLoop.TimerID?

    init(_ call: LocalCall) { self.call = call }

    func receive(_ message: Span<UInt8>) throws(Status) {
        request = try LocalCall.decode(message)
        guard request.count >= 0 else {
            throw .invalid("count", "must not be negative")
        }
        guard request.symbol.utf8.count <= DemoTicker.symbolBytesMax else {
            throw .invalid("symbol", "must have at most \(DemoTicker.symbolBytesMax) bytes")
        }
        interval = request.interval?.nanoseconds ?? DemoTicker.defaultIntervalNanoseconds
        guard interval >= 0 else { throw .invalid("interval", "must not be negative") }
        if interval > 0 { interval = max(interval, DemoTicker.minimumIntervalNanoseconds) }
        call.sendHead()
        due = call.loop.now
        if interval == 0 { run() } else { waitForNext() }
    }

    func drained() {
        guard timer == nil else { return }
        // What the client missed is not made up for; and without an interval the loop takes a turn in between, as
        // a fast client would keep it here for as long as its window is open.
        due = call.loop.now
        waitForNext()
    }

    func ended() {
        if let timer { call.loop.cancel(timer) }
        timer = nil
    }

    func timerFired(_ kind: UInt8) {
        timer = nil
        guard interval > 0 else {
            run()
            return
        }
        sendTick()
        guard !isComplete else {
            call.finish(.ok)
            return
        }
        if call.maySendMore() { waitForNext() }
    }

    /// Sends until enough waits for the client, or everything is said.
    private func run() {
        while !isComplete {
            sendTick()
            if !isComplete, !call.maySendMore() { return }
        }
        call.finish(.ok)
    }

    private func waitForNext() {
        let next = due.addingReportingOverflow(interval)
        due = next.overflow ? .max : next.partialValue
        timer = call.loop.schedule(at: due, self)
    }

    private var isComplete: Bool { request.count > 0 && sequence >= Int64(request.count) }

    private func sendTick() {
        sequence += 1
        price = max(1, price + Double.random(in: -1...1, using: &random))
        call.send(
            Demo.Tick(
                sequence: sequence, time: .now, symbol: request.symbol,
                price: (price * 100).rounded() / 100))
    }
}
