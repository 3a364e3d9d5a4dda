import ProtoRuntime
import Transcode

/// The messages of grpc.health.v1.
enum Health {
    enum ServingStatus: Int32 {
        case unknown = 0
        case serving, notServing, serviceUnknown
    }

    /// HealthCheckRequest.
    struct Request: WireMessage {
        /// Full name; "" for the server as a whole.
        var service = ""

        mutating func merge(_ reader: inout WireReader) throws(WireError) {
            while let tag = try reader.readTag() {
                switch tag.number {
                case 1: service = try reader.readString(tag)
                default: try reader.skip(tag)
                }
            }
        }

        func encode(into output: inout OutputBlock) { output.appendSet(1, service) }
    }

    /// HealthCheckResponse.
    struct Answer: WireMessage {
        var status = ServingStatus.unknown

        init() {}
        init(_ status: ServingStatus) { self.status = status }

        mutating func merge(_ reader: inout WireReader) throws(WireError) {
            while let tag = try reader.readTag() {
                switch tag.number {
                case 1: status = ServingStatus(rawValue: try reader.readInt32(tag)) ?? .unknown
                default: try reader.skip(tag)
                }
            }
        }

        func encode(into output: inout OutputBlock) { output.appendSet(1, status.rawValue) }
    }

    /// HealthListResponse: a map, as repeated entries of key and value.
    struct List: WireMessage {
        var statuses: [Entry] = []

        mutating func merge(_ reader: inout WireReader) throws(WireError) {
            while let tag = try reader.readTag() {
                switch tag.number {
                case 1: statuses.append(try reader.decode(tag, as: Entry.self))
                default: try reader.skip(tag)
                }
            }
        }

        func encode(into output: inout OutputBlock) {
            for entry in statuses { output.appendSet(1, entry) }
        }
    }

    /// One entry of HealthListResponse.statuses.
    struct Entry: WireMessage {
        var service = ""
        var answer: Answer?

        mutating func merge(_ reader: inout WireReader) throws(WireError) {
            while let tag = try reader.readTag() {
                switch tag.number {
                case 1: service = try reader.readString(tag)
                case 2: try reader.merge(tag, into: &answer)
                default: try reader.skip(tag)
                }
            }
        }

        func encode(into output: inout OutputBlock) {
            output.appendSet(1, service)
            output.appendSet(2, answer)
        }
    }
}

/// grpc.health.v1.Health: everything that is exposed serves for as long as the process takes calls.
struct HealthService {
    /// Full names of what is exposed.
    let services: Set<String>

    /// The methods by name.
    var methods: [String: LocalMethod] {
        [
            "Check": .unary { (request: Health.Request) throws(Status) in
                guard knows(request.service) else {
                    throw Status(.notFound, "unknown service \(request.service)")
                }
                return Health.Answer(.serving)
            },
            "List": .unary { (_: Health.Request) throws(Status) in list },
            "Watch": LocalMethod { call in HealthWatch(call, self) },
        ]
    }

    func knows(_ service: String) -> Bool { service.isEmpty || services.contains(service) }

    private var list: Health.List {
        var list = Health.List()
        for service in [""] + services.sorted() {
            list.statuses.append(
                Health.Entry(service: service, answer: Health.Answer(.serving)))
        }
        return list
    }
}

/// Health.Watch: tells the state, and stays open until it is no longer true.
private final class HealthWatch: LocalHandler {
    private unowned let call: LocalCall
    private let service: HealthService
    private var isServing = false

    init(_ call: LocalCall, _ service: HealthService) {
        self.call = call
        self.service = service
    }

    func receive(_ message: Span<UInt8>) throws(Status) {
        let request: Health.Request = try LocalCall.decode(message)
        isServing = service.knows(request.service)
        call.send(Health.Answer(isServing ? .serving : .serviceUnknown))
    }

    func drain() {
        if isServing { call.send(Health.Answer(.notServing)) }
        call.finish(Status(.unavailable, "the server is stopping"))
    }
}
