import Glibc
import ProtoRuntime

/// Something with a descriptor in a loop.
protocol EventHandler: AnyObject {
    func handle(_ readiness: Readiness)
}

/// Something with bytes to write, once a turn.
protocol Flushable: AnyObject {
    func flush()
}

/// Something that sets timers; `kind` is its own.
protocol TimerTarget: AnyObject {
    func timerFired(_ kind: UInt8)
}

struct LoopTimer {
    let target: any TimerTarget
    let kind: UInt8
}

/// Names one registration in a loop; stale events for a closed one are dropped.
struct LoopToken: Equatable {
    fileprivate let index: UInt32
    fileprivate let generation: UInt32

    fileprivate var bits: UInt64 { UInt64(generation) << 32 | UInt64(index) }
}

/// One reactor: a thread's epoll set, timers and mailbox. Everything it owns is confined to that thread.
///
/// A turn: wait → events → mailbox → timers → continuations → flush upstreams → flush clients.
final class EventLoop {
    typealias TimerID = TimerWheel<LoopTimer>.ID

    /// Bytes read from one connection in a turn at most.
    static let readBytesMax = 64 << 10

    /// Rounds of continuing and flushing in a turn at most.
    static let roundsPerTurn = 8

    let mailbox: Mailbox
    /// The reactor that runs on this loop, for work that arrives by mailbox.
    /// Strong, and let go of when the loop ends: a weak reference would make every retain of the reactor slow.
    var reactor: Reactor?
    /// Monotonic nanoseconds, read once a turn.
    private(set) var now: Int64
    /// The wall clock as an HTTP date, renewed once a second.
    private(set) var date = HTTPDate()

    private struct Registration {
        var generation: UInt32 = 0
        var handler: (any EventHandler)?
    }

    private let poller: Poller
    private var timers: TimerWheel<LoopTimer>
    private var registrations: [Registration] = []
    private var freeRegistrations: [UInt32] = []
    private var dirtyUpstreams = WorkList<any Flushable>()
    private var dirtyClients = WorkList<any Flushable>()
    private var continuations = WorkList<any EventHandler>()
    private var input = OutputBlock()
    private var isStopped = false

    init(mailbox: Mailbox, now: Int64 = EventLoop.monotonicNow()) throws(SystemError) {
        poller = try Poller()
        self.mailbox = mailbox
        self.now = now
        timers = TimerWheel(now: now)
        let token = LoopToken(index: 0, generation: 0)
        registrations.append(Registration())
        try poller.add(mailbox.descriptor, token: token.bits, interest: .readable)
    }

    static func monotonicNow() -> Int64 {
        var time = timespec()
        _ = unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    // MARK: Registration

    func register(
        _ socket: Socket, interest: Readiness, handler: any EventHandler
    ) throws(SystemError) -> LoopToken {
        let index: UInt32
        if let free = freeRegistrations.popLast() {
            index = free
        } else {
            index = UInt32(truncatingIfNeeded: registrations.count)
            registrations.append(Registration())
        }
        registrations[Int(index)].handler = handler
        let token = LoopToken(index: index, generation: registrations[Int(index)].generation)
        do throws(SystemError) {
            try poller.add(socket.descriptor, token: token.bits, interest: interest)
        } catch {
            forget(token)
            throw error
        }
        return token
    }

    func setInterest(_ interest: Readiness, of socket: Socket, token: LoopToken) throws(SystemError)
    {
        try poller.change(socket.descriptor, token: token.bits, interest: interest)
    }

    /// Must be called before the socket is closed.
    func unregister(_ socket: Socket, token: LoopToken) {
        poller.remove(socket.descriptor)
        forget(token)
    }

    private func forget(_ token: LoopToken) {
        registrations[Int(token.index)].handler = nil
        registrations[Int(token.index)].generation &+= 1
        freeRegistrations.append(token.index)
    }

    // MARK: Timers, flushing, continuations

    func schedule(after nanoseconds: Int64, _ target: any TimerTarget, kind: UInt8 = 0) -> TimerID {
        let deadline = now.addingReportingOverflow(nanoseconds)
        return schedule(at: deadline.overflow ? .max : deadline.partialValue, target, kind: kind)
    }

    func schedule(at deadline: Int64, _ target: any TimerTarget, kind: UInt8 = 0) -> TimerID {
        timers.schedule(at: deadline, LoopTimer(target: target, kind: kind))
    }

    func cancel(_ timer: TimerID) { timers.cancel(timer) }

    /// How many timers are set.
    var timerCount: Int { timers.count }
    /// Nanoseconds from `now` until a timer may be due; nil when none is set.
    func timeToTimer(from now: Int64) -> Int64? { timers.wait(now: now) }

    /// `upstream` is flushed at the end of this turn, before the clients. The caller keeps it from being added twice.
    func flushLater(upstream: any Flushable) { dirtyUpstreams.append(upstream) }
    func flushLater(client: any Flushable) { dirtyClients.append(client) }

    /// `handler` is called with no readiness later in this turn: it has buffered input to go on with.
    func continueLater(_ handler: any EventHandler) { continuations.append(handler) }

    /// Lends the read block to one connection at a time; it must be given back by `returnInput`.
    func takeInput() -> OutputBlock {
        var taken = OutputBlock()
        swap(&taken, &input)
        taken.reserve(EventLoop.readBytesMax)
        return taken
    }

    func returnInput(_ block: consuming OutputBlock) {
        block.removeAll()
        input = block
    }

    // MARK: Running

    /// Ends `run` after the present turn.
    func stop() { isStopped = true }

    /// Runs turns until `stop`.
    func run() throws(SystemError) {
        defer { reactor = nil }
        while !isStopped { try turn() }
    }

    private func turn() throws(SystemError) {
        let count = try poller.wait(milliseconds: waitMilliseconds())
        serve(count, now: EventLoop.monotonicNow())
    }

    /// One turn that waits for nothing, for an owner with a clock of its own.
    /// - Returns: whether there was something to do, timers apart.
    func turn(at now: Int64) throws(SystemError) -> Bool {
        let hadWork = hasWork
        let count = try poller.wait(milliseconds: 0)
        serve(count, now: now)
        return hadWork || count > 0
    }

    private func serve(_ count: Int, now: Int64) {
        self.now = now
        date.update(now: now)
        var hasMail = false
        for index in 0..<count {
            let event = poller.event(at: index)
            let slot = Int(event.token & 0xFFFF_FFFF)
            if slot == 0 {
                hasMail = true
                continue
            }
            guard registrations[slot].generation == UInt32(event.token >> 32) else { continue }
            registrations[slot].handler?.handle(event.readiness)
        }
        if hasMail { for work in mailbox.take() { work(self) } }
        while let timer = timers.expire(now: now) { timer.target.timerFired(timer.kind) }
        finishTurn()
    }

    /// Flushing may make more to flush: a few rounds of that belong to the turn, the rest waits for the next one,
    /// so that a producer never keeps the loop from its sockets.
    private func finishTurn() {
        for _ in 0..<EventLoop.roundsPerTurn where hasWork {
            if !continuations.isEmpty {
                let handlers = continuations.take()
                for handler in handlers { handler.handle([]) }
                continuations.giveBack(handlers)
            }
            if !dirtyUpstreams.isEmpty {
                let upstreams = dirtyUpstreams.take()
                for upstream in upstreams { upstream.flush() }
                dirtyUpstreams.giveBack(upstreams)
            }
            if !dirtyClients.isEmpty {
                let clients = dirtyClients.take()
                for client in clients { client.flush() }
                dirtyClients.giveBack(clients)
            }
        }
    }

    private var hasWork: Bool {
        !(dirtyUpstreams.isEmpty && dirtyClients.isEmpty && continuations.isEmpty)
    }

    private func waitMilliseconds() -> Int32 {
        if hasWork { return 0 }
        guard let wait = timeToTimer(from: EventLoop.monotonicNow()) else { return -1 }
        return Int32(clamping: (wait + 999_999) / 1_000_000)
    }
}

/// What is to be done later in the turn: taken as a whole, while new work gathers in a second array.
private struct WorkList<Element> {
    private var pending: [Element] = []
    private var spare: [Element] = []

    var isEmpty: Bool { pending.isEmpty }

    mutating func append(_ element: Element) { pending.append(element) }

    mutating func take() -> [Element] {
        let taken = pending
        pending = spare
        spare = []
        return taken
    }

    /// Keeps the emptied array's memory for the next turn.
    mutating func giveBack(_ taken: consuming [Element]) {
        taken.removeAll(keepingCapacity: true)
        spare = taken
    }
}
