import Testing

@testable import Gateway

@Suite struct ServiceRecordTests {
    private func record(_ priority: UInt16, _ weight: UInt16, _ host: String, port: UInt16 = 1)
        -> ServiceRecord
    {
        ServiceRecord(priority: priority, weight: weight, port: port, host: host)
    }

    @Test func `the lowest priority comes first, and the greatest weight in it`() {
        let wanted = ServiceRecord.wanted([
            record(20, 0, "d"), record(10, 1, "c"), record(10, 5, "b"), record(10, 5, "a"),
        ])
        #expect(wanted.map(\.host) == ["b", "a", "c", "d"])
    }

    @Test func `what cannot be connected is left out`() {
        let records = [record(1, 1, "."), record(1, 1, ""), record(1, 1, "a", port: 0)]
        #expect(ServiceRecord.wanted(records).isEmpty)
        #expect(ServiceRecord.wanted([]).isEmpty)
    }

    @Test func `so many records count, the least wanted of more are left out`() {
        let records = (0..<100).map { record(UInt16($0 % 2), UInt16($0), "\($0)") }
        let wanted = ServiceRecord.wanted(records)
        #expect(wanted.count == ServiceRecord.countMax)
        #expect(wanted.count { $0.priority == 0 } == 50)
        #expect(wanted.last?.host == "73")
    }
}

@Suite struct DNSMessageTests {
    /// One question, and answers with these times to live whose names point to it.
    private static func message(_ seconds: [UInt32], data: [UInt8] = [0, 0, 0, 1, 0, 2, 1, 97, 0])
        -> [UInt8]
    {
        var bytes: [UInt8] = [0, 0, 0x81, 0x80, 0, 1, 0, UInt8(seconds.count), 0, 0, 0, 0]
        bytes += [4, 95, 97, 98, 99, 1, 97, 0, 0, 33, 0, 1]
        for seconds in seconds {
            bytes += [0xC0, 12, 0, 33, 0, 1]
            bytes += (0..<4).reversed().map { UInt8(truncatingIfNeeded: seconds >> ($0 * 8)) }
            bytes += [0, UInt8(data.count)] + data
        }
        return bytes
    }

    @Test(
        arguments: [([], nil), ([7], 7), ([300, 5, 60], 5), ([UInt32.max], 4_294_967_295)]
            as [([UInt32], Int64?)])
    func `an answer lives as long as its shortest record`(_ seconds: [UInt32], _ least: Int64?) {
        #expect(DNSMessage.timeToLive(Self.message(seconds).span) == least)
    }

    @Test func `a message that is cut anywhere is no error`() {
        let whole = Self.message([9, 8])
        for count in 0..<whole.count {
            let found = DNSMessage.timeToLive(Array(whole[..<count]).span)
            #expect(found == nil || found == 8, "its last bytes are not looked at")
        }
    }

    @Test func `nor is any other one`() {
        var random = SeededGenerator(seed: 8)
        for _ in 0..<2000 {
            var bytes = Self.message([1, 2, 3])
            for _ in 0..<3 {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = .random(
                    in: 0...255, using: &random)
            }
            #expect((DNSMessage.timeToLive(bytes.span) ?? 0) >= 0)
        }
    }
}
