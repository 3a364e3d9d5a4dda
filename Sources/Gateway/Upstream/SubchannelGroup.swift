/// The addresses of one priority, and how one reactor connects them: all, or for `pick_first` one of them.
final class SubchannelGroup: TimerTarget {
    let subchannels: [Subchannel]
    /// Their shares of the calls; empty where all are the same.
    let weights: [Int]
    private let loop: EventLoop
    /// Nil where all are connected.
    private var pickFirst: PickFirst?
    private var timer: EventLoop.TimerID?

    init(_ subchannels: [Subchannel], weights: [Int], choosesOne: Bool, loop: EventLoop) {
        self.subchannels = subchannels
        self.weights = Set(weights).count > 1 ? weights : []
        self.loop = loop
        guard choosesOne else { return }
        var state = PickFirst()
        let chosen = subchannels.firstIndex { $0.connectivity == .ready }
        state.addressesChanged(count: subchannels.count, chosen: chosen)
        pickFirst = state
    }

    var condition: Priorities.Condition {
        if subchannels.contains(where: \.isServing) { return .ready }
        return hasFailed ? .failed : .pending
    }

    var hasFailed: Bool { subchannels.allSatisfy(\.hasFailed) }

    func contains(_ subchannel: Subchannel) -> Bool { subchannels.contains { $0 === subchannel } }

    /// Connects what is not connected: every address, or for `pick_first` one of them.
    func connect() {
        guard pickFirst == nil else { return perform(pickFirst?.connectWanted()) }
        for subchannel in subchannels { subchannel.connect() }
    }

    /// Lets go of every connection; calls on them are finished.
    func rest() {
        stop()
        for subchannel in subchannels { subchannel.rest() }
        pickFirst?.addressesChanged(count: subchannels.count, chosen: nil)
    }

    /// Leaves nothing in the loop.
    func stop() {
        if let timer { loop.cancel(timer) }
        timer = nil
    }

    // MARK: What subchannels report

    func becameReady(_ subchannel: Subchannel) {
        guard let index = subchannels.firstIndex(where: { $0 === subchannel }) else { return }
        perform(pickFirst?.becameReady(index))
    }

    func attemptFailed() { perform(pickFirst?.proceed()) }

    /// The last connection to it has ended.
    func lost(_ subchannel: Subchannel) {
        guard let index = subchannels.firstIndex(where: { $0 === subchannel }) else { return }
        guard pickFirst == nil else {
            pickFirst?.lost(index)
            return
        }
        subchannel.connect()
    }

    func timerFired(_ kind: UInt8) {
        timer = nil
        perform(pickFirst?.proceed())
    }

    private func perform(_ action: PickFirst.Action?) {
        guard let action, action != .none else { return }
        stop()
        switch action {
        case .none: break
        case .attempt(let index):
            timer = loop.schedule(after: PickFirst.delayNanoseconds, self)
            subchannels[index].connect()
        case .choose(let index):
            for other in subchannels.indices where other != index { subchannels[other].rest() }
        }
    }
}
