import ProtoRuntime
import Testing

@testable import Gateway

@Suite struct FileOutlineTests {
    @Test func `names are full, whatever the order of the fields`() throws {
        var output = OutputBlock()
        output.appendField(6) { (output: inout OutputBlock) in
            output.appendField(1, string: "S")
            output.appendField(2) { (output: inout OutputBlock) in
                output.appendField(1, string: "Call")
            }
        }
        output.appendField(4) { (output: inout OutputBlock) in
            output.appendField(4) { (output: inout OutputBlock) in
                output.appendField(2) { (output: inout OutputBlock) in
                    output.appendField(1, string: "VALUE")
                }
                output.appendField(1, string: "Enum")
            }
            output.appendField(1, string: "Outer")
            output.appendField(3) { (output: inout OutputBlock) in
                output.appendField(1, string: "Inner")
            }
        }
        output.appendField(2, string: "pkg")
        output.appendField(1, string: "a.proto")
        let outline = try FileOutline([UInt8](copying: output.bytes))
        #expect(outline.name == "a.proto" && outline.services == ["pkg.S"])
        #expect(
            Set(outline.symbols) == [
                "pkg.S", "pkg.S.Call", "pkg.Outer", "pkg.Outer.Enum", "pkg.Outer.VALUE",
                "pkg.Outer.Inner",
            ])
    }

    @Test func `a hundred nested messages are too many`() {
        var bytes: [UInt8] = []
        for _ in 0..<120 {
            var output = OutputBlock()
            output.appendField(3, bytes: bytes.span)
            bytes = [UInt8](copying: output.bytes)
        }
        var output = OutputBlock()
        output.appendField(4, bytes: bytes.span)
        let file = [UInt8](copying: output.bytes)
        #expect(throws: WireError.self) { try FileOutline(file) }
    }
}
