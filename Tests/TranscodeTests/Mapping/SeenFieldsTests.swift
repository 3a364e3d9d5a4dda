import ProtoRuntime
import Testing

@testable import Transcode

/// Which members have come, for messages of more fields and oneofs than a word has bits.
@Suite struct SeenFieldsTests {
    /// A message of the fields a0 … a199, and of 70 oneofs with the members b0, c0 … b69, c69.
    private static let pool: DescriptorPool? = {
        let set = writtenBytes { set in
            set.appendField(1) { file in
                file.appendField(1, string: "wide.proto")
                file.appendField(4) { message in
                    message.appendField(1, string: "Wide")
                    for index in 0..<340 {
                        message.appendField(2) { field in
                            let oneof = index < 200 ? -1 : (index - 200) / 2
                            let letter = index < 200 ? "a" : index % 2 == 0 ? "b" : "c"
                            field.appendField(1, string: "\(letter)\(oneof < 0 ? index : oneof)")
                            field.appendField(3, int64: Int64(index + 1))
                            field.appendField(4, int64: 1)
                            field.appendField(5, int64: 5)
                            if oneof >= 0 { field.appendField(9, int64: Int64(oneof)) }
                        }
                    }
                    for index in 0..<70 {
                        message.appendField(8) { $0.appendField(1, string: "o\(index)") }
                    }
                }
                file.appendField(12, string: "proto3")
            }
        }
        return try? DescriptorPool(fileDescriptorSets: [set])
    }()

    /// The error of reading these members, each 1; nil if they are accepted.
    private func refusal(_ names: [String]) throws -> JSONError? {
        let pool = try #require(SeenFieldsTests.pool)
        let type = try #require(pool.messageIndex(named: "Wide"))
        let members = names.map { "\"\($0)\":1" }.joined(separator: ",")
        var input = Codec.block(Array("{\(members)}".utf8))
        input.seal()
        var output = OutputBlock()
        do throws(JSONError) {
            try JSONToProto(pool.tables, options: JSONOptions(unknownFields: .reject)).encode(
                input, in: 0..<input.count, as: type, into: &output)
            return nil
        } catch {
            return error
        }
    }

    private static let fields = (0..<200).map { "a\($0)" }

    @Test func `members in any order are taken once each`() throws {
        let fields = SeenFieldsTests.fields
        #expect(try refusal(fields) == nil)
        #expect(try refusal(fields.reversed()) == nil)
        let strided = (0..<7).flatMap { start in
            stride(from: start, to: 200, by: 7).map { "a\($0)" }
        }
        #expect(try refusal(strided) == nil)
        #expect(try refusal(["a199", "a0", "a64", "a63", "a65", "a128", "a127"]) == nil)
    }

    @Test(arguments: [0, 1, 62, 63, 64, 65, 71, 72, 127, 128, 198, 199])
    func `a second member is found wherever it stands`(_ index: Int) throws {
        let name = "a\(index)"
        let fields = SeenFieldsTests.fields
        for names in [
            fields + [name], [name, name], ["a199", "a150"].filter { $0 != name } + [name, name],
            fields.reversed() + [name], [name] + fields.filter { $0 != name } + [name],
        ] {
            #expect(try refusal(names)?.reason == .duplicateField)
            #expect(try refusal(names)?.path == name)
        }
    }

    @Test(arguments: [0, 1, 62, 63, 64, 65, 69])
    func `two members of one oneof are found, and of two oneofs taken`(_ index: Int) throws {
        #expect(try refusal(["b\(index)", "c\(index)"])?.reason == .oneofTwice)
        #expect(try refusal(["c\(index)", "a5", "b\(index)"])?.reason == .oneofTwice)
        #expect(try refusal(["b\(index)", "c\((index + 1) % 70)"]) == nil)
        #expect(try refusal((0..<70).map { "b\($0)" } + ["c\(index)"])?.path == "c\(index)")
    }
}
