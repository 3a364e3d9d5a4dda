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
        let file = unsafe open(path, O_RDONLY)
        try #require(file >= 0)
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        let count = unsafe read(file, &bytes, bytes.count)
        try #require(count >= 0 && count < bytes.count)
        return Array(bytes.prefix(count))
    }
}
