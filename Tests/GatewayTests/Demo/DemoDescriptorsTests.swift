import Glibc
import ProtoRuntime
import Testing

@testable import Gateway

@Suite struct DemoDescriptorsTests {
    @Test func `the embedded set is Protos/demo.binpb`() throws {
        let tests = #filePath.split(separator: "/").dropLast(3)
        let path = "/" + (tests.dropLast() + ["Protos", "demo.binpb"]).joined(separator: "/")
        #expect(try readFile(path) == DemoDescriptors.fileDescriptorSet())
    }

    @Test func `every method of the demo's services is served, and no other`() throws {
        let pool = try DescriptorPool(fileDescriptorSets: [DemoDescriptors.fileDescriptorSet()])
        let methods = pool.services.flatMap(\.methods)
        #expect(methods.map(\.path).sorted() == DemoMethods.make().paths)
        for method in methods {
            #expect(
                DemoMethods.make().method(at: method.path)?.isClientStreaming
                    == method.isClientStreaming,
                "\(method.path)")
        }
    }

    @Test func `the types of the error details are in the set`() throws {
        let pool = try DescriptorPool(fileDescriptorSets: [DemoDescriptors.fileDescriptorSet()])
        for name in ["google.rpc.BadRequest", "google.rpc.ResourceInfo"] {
            #expect(pool.messageIndex(named: name) != nil)
        }
    }

    private func readFile(_ path: String) throws -> [UInt8] {
        let file = Socket(descriptor: unsafe open(path, O_RDONLY))
        defer { file.close() }
        var block = OutputBlock()
        while case .bytes = try file.read(into: &block, atMost: 64 << 10) {}
        return [UInt8](copying: block.bytes)
    }
}
