import Testing

@testable import Transcode

/// Good input cut or changed at every byte: always an error or another good reading, never a trap.
@Suite struct TruncationTests {
    static let documents: [(String, String)] = [
        (
            "proto3.v1.Everything",
            """
            {"scalars":{"doubleValue":-1.5e3,"int64Value":"12345678901","boolValue":true,"stringValue":"é\\n\\ud83d\\ude00",
             "bytesValue":"AAECAw==","mood":"MOOD_SAD"},"repeated":{"int32Values":[1,200,-3],"stringValues":["a","bc"]},
             "maps":{"stringMap":{"k":"v","l":"w"},"boolMap":{"true":false},"timestampMap":{"t":"2026-11-22T13:24:05.5Z"}},
             "wellKnown":{"duration":"-1.5s","fieldMask":"a.bC,d","struct":{"x":[1,null,{"y":"z"}]},
             "any":{"@type":"a/google.protobuf.Int32Value","value":7},"int64Value":"5"},
             "oneofs":{"text":"t","again":{"number":1}},"unknown":[{"a":1.5e5},"b"]}
            """
        ),
        (
            "proto2.v1.Groups",
            "{\"single\":{\"number\":1,\"deep\":{\"text\":\"abc\"}},\"manyones\":[{},{\"number\":300}],\"after\":-1}"
        ),
    ]

    @Test(arguments: documents)
    func `a document cut anywhere is refused`(_ type: String, _ json: String) throws {
        let whole = Array(json.utf8)
        #expect(try Codec.refusal(whole, type) == nil)
        for count in 0..<whole.count {
            #expect(try Codec.refusal(Array(whole[..<count]), type) != nil, "cut at \(count)")
        }
    }

    @Test(arguments: documents)
    func `a message cut anywhere is an error or a shorter message`(_ type: String, _ json: String)
        throws
    {
        let whole = try Codec.wire(json, type)
        var accepted = 0
        for count in 0..<whole.count
        where try Codec.refusal(wire: Array(whole[..<count]), type) == nil {
            accepted += 1
        }
        // Only between the fields of the outermost message.
        #expect(accepted <= 8)
    }

    @Test(arguments: documents)
    func `any byte replaced gives a reading or an error`(_ type: String, _ json: String) throws {
        let document = Array(json.utf8)
        for index in document.indices {
            for byte in [0, 0x22, 0x5c, 0x7b, 0x7d, 0x5b, 0x2c, 0x39, 0x80, 0xff] as [UInt8] {
                var changed = document
                changed[index] = byte
                _ = try Codec.refusal(changed, type)
            }
        }
        let wire = try Codec.wire(json, type)
        for index in wire.indices {
            for byte in [0, 1, 0x0b, 0x0c, 0x7f, 0x80, 0xff, wire[index] ^ 1] as [UInt8] {
                var changed = wire
                changed[index] = byte
                _ = try Codec.refusal(wire: changed, type)
            }
        }
    }
}
