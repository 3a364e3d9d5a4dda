import ProtoRuntime
import Testing
import Transcode

@testable import Gateway

@Suite struct ReflectionIndexTests {
    private let index = DemoDescriptors.reflectionIndex()

    @Test(arguments: [
        "gateway.demo.v1.LibraryService", "gateway.demo.v1.LibraryService.GetBook",
        "gateway.demo.v1.Book", "gateway.demo.v1.Book.title",
    ])
    func `what a file declares leads to it`(symbol: String) {
        #expect(index.file(declaring: symbol) == index.file(named: "gateway/demo/v1/library.proto"))
        #expect(index.file(declaring: symbol) != nil)
    }

    @Test(arguments: [
        "", ".", "Book", "gateway.demo.v1", "gateway.demo.v1.Nothing",
        "gateway.demo.v1.Book.nothing", ".gateway.demo.v1.Book",
    ])
    func `what is not declared is not found`(symbol: String) {
        #expect(index.file(declaring: symbol) == nil)
    }

    @Test func `the gateway's own services are listed and described`() {
        for service in LocalServices.names {
            #expect(index.services.contains(service))
            #expect(index.file(declaring: service) != nil)
        }
    }

    @Test func `extensions are found by type and number`() {
        let file = index.file(extending: "google.protobuf.MethodOptions", number: 72_295_728)
        #expect(file != nil && file == index.file(named: "google/api/annotations.proto"))
        #expect(
            index.extensionNumbers(of: "google.protobuf.MethodOptions")?.contains(72_295_728)
                == true)
        #expect(index.extensionNumbers(of: "gateway.demo.v1.Book") == [])
        #expect(index.extensionNumbers(of: "no.Such") == nil)
    }

    @Test func `every method of the gateway's own services is served, and no other`() throws {
        let pool = try DescriptorPool(fileDescriptorSets: [LocalDescriptors.fileDescriptorSet()])
        var methods = LocalMethods()
        LocalServices.add(to: &methods, describing: index)
        let declared = pool.services.flatMap(\.methods)
        #expect(declared.map(\.path).sorted() == methods.paths)
        for method in declared {
            #expect(
                methods.method(at: method.path)?.isClientStreaming == method.isClientStreaming,
                "\(method.path)")
        }
    }
}
