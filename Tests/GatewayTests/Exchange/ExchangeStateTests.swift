import Testing

@testable import Gateway

@Suite struct ExchangeStateTests {
    enum Event: CaseIterable {
        case receiveEnd, startUpstream, openUpstream, beginResponse, finish, finishByUpstream
        case upstreamClosed, clientGone
    }

    enum Outcome: Equatable {
        case nothing, open(Bool), begin(Bool), finish(ExchangeState.UpstreamAction?), owes(Bool)
        case leave(ExchangeState.UpstreamAction)
    }

    static func apply(_ event: Event, to state: inout ExchangeState) -> Outcome {
        switch event {
        case .receiveEnd: state.receiveEnd()
        case .startUpstream: state.startUpstream()
        case .openUpstream: return .open(state.openUpstream())
        case .beginResponse: return .begin(state.beginResponse())
        case .finish: return .finish(state.finish(upstreamHasEnded: false))
        case .finishByUpstream: return .finish(state.finish(upstreamHasEnded: true))
        case .upstreamClosed: return .owes(state.upstreamClosed())
        case .clientGone: return .leave(state.clientGone())
        }
        return .nothing
    }

    private static let waiting: [Event] = [.startUpstream]
    private static let open: [Event] = [.startUpstream, .openUpstream]
    private static let answered: [Event] = [.startUpstream, .openUpstream, .finishByUpstream]

    @Test(
        arguments: [
            ([], .openUpstream, .open(false)), ([], .beginResponse, .begin(true)),
            ([], .finish, .finish(ExchangeState.UpstreamAction.none)),
            ([], .clientGone, .leave(.none)), ([], .upstreamClosed, .owes(true)),
            (waiting, .openUpstream, .open(true)), (waiting, .finish, .finish(.abandon)),
            (waiting, .finishByUpstream, .finish(.abandon)),
            (waiting, .clientGone, .leave(.abandon)),
            (open, .openUpstream, .open(false)), (open, .finish, .finish(.cancel)),
            (open, .finishByUpstream, .finish(ExchangeState.UpstreamAction.none)),
            (open, .clientGone, .leave(.cancel)), (open, .upstreamClosed, .owes(true)),
            (answered, .finish, .finish(nil)), (answered, .finishByUpstream, .finish(nil)),
            (answered, .clientGone, .leave(.none)), (answered, .upstreamClosed, .owes(false)),
            (answered, .beginResponse, .begin(false)), (answered, .openUpstream, .open(false)),
            (open + [.beginResponse], .beginResponse, .begin(false)),
            (open + [.beginResponse], .finish, .finish(.cancel)),
            (open + [.upstreamClosed], .finish, .finish(ExchangeState.UpstreamAction.none)),
            (open + [.clientGone], .finish, .finish(nil)),
            (open + [.clientGone], .upstreamClosed, .owes(false)),
            (waiting + [.finish], .openUpstream, .open(false)),
            (waiting + [.clientGone], .openUpstream, .open(false)),
            (waiting + [.finish, .startUpstream], .openUpstream, .open(false)),
        ] as [([Event], Event, Outcome)])
    func `an event has its outcome`(_ before: [Event], _ event: Event, _ outcome: Outcome) {
        var state = ExchangeState()
        state.receiveHead()
        for event in before { _ = ExchangeStateTests.apply(event, to: &state) }
        #expect(ExchangeStateTests.apply(event, to: &state) == outcome)
    }

    @Test func `the halves close independently`() {
        var state = ExchangeState()
        #expect(state.request == .idle)
        state.receiveHead()
        #expect(state.request == .open)
        _ = state.beginResponse()
        #expect(state.response == .open)
        state.receiveEnd()
        #expect(state.request == .closed)
        #expect(state.response == .open)
        _ = state.finish(upstreamHasEnded: false)
        #expect(state.response == .closed)
    }

    @Test(arguments: 1...50 as ClosedRange<UInt64>)
    func `in any order of events a call ends once and its stream is left once`(seed: UInt64) {
        var random = RandomSource(seed: seed)
        var state = ExchangeState()
        state.receiveHead()
        var ends = 0
        var begins = 0
        var opens = 0
        var leaves = 0
        var hasClientLeft = false
        for _ in 0..<60 {
            guard let event = Event.allCases.randomElement(using: &random) else { return }
            switch ExchangeStateTests.apply(event, to: &state) {
            case .nothing: break
            case .open(let opened): opens += opened ? 1 : 0
            case .begin(let begun):
                begins += begun ? 1 : 0
                #expect(!begun || ends == 0)
            case .finish(let action):
                if action != nil {
                    ends += 1
                    #expect(!hasClientLeft)
                }
                leaves += action == .cancel || action == .abandon ? 1 : 0
            case .owes(let owes): #expect(owes == (ends == 0 && !hasClientLeft))
            case .leave(let action):
                leaves += action == .none ? 0 : 1
                hasClientLeft = true
            }
            #expect(ends <= 1 && begins <= 1 && opens <= 1 && leaves <= 1)
            #expect((state.response == .closed) == (ends == 1 || hasClientLeft))
        }
    }

    @Test func `the request is wanted until either side has ended the call`() {
        var state = ExchangeState()
        state.receiveHead()
        #expect(state.takesRequest)
        state.startUpstream()
        _ = state.openUpstream()
        #expect(state.takesRequest)
        var left = state
        _ = left.upstreamClosed()
        #expect(!left.takesRequest)
        _ = state.finish(upstreamHasEnded: false)
        #expect(!state.takesRequest)
    }
}
