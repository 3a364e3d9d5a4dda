import ProtoRuntime
import Transcode

/// The chat's rooms, by name: who is in each, in order of entrance.
final class DemoRooms {
    static let roomsMax = 1000
    static let membersMax = 100

    private var members: [String: [DemoChat]] = [:]

    /// Lets `member` into a room that has no one of that nickname, and tells everyone in it.
    func enter(_ member: DemoChat, room: String, nickname: String) throws(Status) {
        let present = members[room] ?? []
        guard !present.isEmpty || members.count < DemoRooms.roomsMax else {
            throw Status(.resourceExhausted, "there are \(DemoRooms.roomsMax) rooms already")
        }
        guard present.count < DemoRooms.membersMax else {
            throw Status(.resourceExhausted, "the room is full")
        }
        guard !present.contains(where: { $0.nickname == nickname }) else {
            throw Status(.alreadyExists, "someone in the room is called \(nickname)")
        }
        members[room] = present + [member]
    }

    func leave(_ member: DemoChat, room: String) {
        members[room]?.removeAll { $0 === member }
        if members[room]?.isEmpty == true { members[room] = nil }
    }

    /// Tells everyone in the room, the one it comes from too.
    func broadcast(_ event: Demo.ChatEvent, room: String) {
        // A copy: one who is too slow leaves the room on the way.
        let present = members[room] ?? []
        for member in present { member.hear(event) }
    }
}

/// ChatService.Join: one person in one room.
final class DemoChat: LocalHandler {
    static let nameBytesMax = 100
    static let textBytesMax = 16 << 10
    /// Bytes that may wait for one who does not read; then the call ends.
    static let pendingBytesMax = 1 << 20

    private unowned let call: LocalCall
    private let rooms: DemoRooms
    private var room: String?
    private(set) var nickname = ""

    init(_ call: LocalCall, _ rooms: DemoRooms) {
        self.call = call
        self.rooms = rooms
        // Whoever enters an empty room may wait for long, and must know that it is there.
        call.sendHead()
    }

    func receive(_ message: Span<UInt8>) throws(Status) {
        let request: Demo.ChatRequest = try LocalCall.decode(message)
        switch request.action {
        case .enter(let entrance): try enter(entrance)
        case .say(let text): try say(text)
        case nil: throw .invalid("action", "must be set")
        }
    }

    func receiveEnd() throws(Status) { call.finish(.ok) }

    func ended() {
        guard let room else { return }
        self.room = nil
        rooms.leave(self, room: room)
        rooms.broadcast(event(.left), room: room)
    }

    /// Sends what was said in the room.
    func hear(_ event: Demo.ChatEvent) {
        guard call.pendingBytes <= DemoChat.pendingBytesMax else {
            call.finish(
                Status(.resourceExhausted, "too slow: more than a megabyte waits to be read"))
            return
        }
        call.send(event)
    }

    private func enter(_ entrance: Demo.Entrance) throws(Status) {
        guard room == nil else {
            throw Status(.failedPrecondition, "already in the room \(room ?? "")")
        }
        try DemoChat.check(entrance.room, "enter.room")
        try DemoChat.check(entrance.nickname, "enter.nickname")
        try rooms.enter(self, room: entrance.room, nickname: entrance.nickname)
        room = entrance.room
        nickname = entrance.nickname
        rooms.broadcast(event(.entered), room: entrance.room)
    }

    private func say(_ text: String) throws(Status) {
        guard let room else {
            throw Status(.failedPrecondition, "the first message must be an entrance")
        }
        guard text.utf8.count <= DemoChat.textBytesMax else {
            throw .invalid("say", "must have at most \(DemoChat.textBytesMax) bytes")
        }
        rooms.broadcast(event(.said, text), room: room)
    }

    private func event(_ kind: Demo.ChatEvent.Kind, _ text: String = "") -> Demo.ChatEvent {
        Demo.ChatEvent(kind: kind, nickname: nickname, text: text, time: .now)
    }

    private static func check(_ name: String, _ field: String) throws(Status) {
        guard !name.isEmpty, name.utf8.count <= nameBytesMax else {
            throw .invalid(field, "must have 1 to \(nameBytesMax) bytes")
        }
    }
}
