import ProtoRuntime
import Testing
import Transcode

@testable import Gateway

@Suite struct UpstreamTypesTests {
    private let text = """
        listeners: [{address: 127.0.0.1:0}]
        upstreams: {a: {target: 127.0.0.1:1}, b: {target: 127.0.0.1:2}}
        services:
          - {upstream: b, descriptors: {file: stock}, rules: [{selector: shop.Stock.Get, get: "/b/{tags}"}]}
          - {upstream: a, descriptors: {file: orders}, rules: [{selector: shop.Orders.Get, get: "/a/{price}"}]}
        """

    @Test func `the types of each upstream are its own`() throws {
        let gateway = try ConfigurationFixture.load(
            text,
            sets: [
                "orders": try ShopFiles.set("Orders", field: "price", .int32),
                "stock": try ShopFiles.set("Stock", field: "tags", .string),
            ])
        #expect(gateway.methods.pools.count == 2)
        for (service, upstream, field) in [("Orders", 0, "price"), ("Stock", 1, "tags")] {
            let method = try #require(
                gateway.methods.methods.first { $0.descriptor.fullName == "shop.\(service).Get" })
            #expect(method.options.upstream == upstream)
            let pool = gateway.methods.pool(of: method.id)
            #expect(pool.messageName(method.descriptor.input) == "shop.Item")
            #expect(pool.fieldIndex(named: field, in: method.descriptor.input) != nil)
            let tables = gateway.methods.tables(of: method.id)
            let entry = tables.message(method.descriptor.input)
            #expect(tables.field(entry.firstField + 1).kind == (upstream == 0 ? .int32 : .string))
        }
        #expect(
            gateway.summary.suffix(2) == [
                "  shop.Orders → a: 1 method, 1 REST route",
                "  shop.Stock → b: 1 method, 1 REST route",
            ])
    }

    @Test func `upstreams with the same descriptors share them`() throws {
        let set = try ShopFiles.set("Orders", field: "price", .int32)
        let gateway = try ConfigurationFixture.load(
            """
            listeners: [{address: 127.0.0.1:0}]
            upstreams: {a: {target: 127.0.0.1:1}, b: {target: 127.0.0.1:2}}
            services:
              - {upstream: a, descriptors: {file: orders}, expose: [shop.Orders]}
              - {upstream: b, descriptors: {file: again}, expose: [gateway.demo.v1.ChatService]}
              - {upstream: b, descriptors: {file: demo.binpb}, expose: [gateway.demo.v1.TickerService]}
            """, sets: ["orders": set, "again": DemoDescriptors.fileDescriptorSet()])
        #expect(gateway.methods.pools.count == 2)
        #expect(Set(gateway.methods.methods.map(\.pool)) == [0, 1])
    }

    @Test func `two files of one upstream that contradict each other are an error`() throws {
        let sets = [
            "orders": try ShopFiles.set("Orders", field: "price", .int32),
            "stock": try ShopFiles.set("Stock", field: "tags", .string),
        ]
        let error = #expect(throws: ConfigurationError.self) {
            try ConfigurationFixture.load(
                text.replacing("upstream: b", with: "upstream: a"), sets: sets)
        }
        #expect(error?.description.contains("services of upstream 'a': shop/") == true)
        #expect(error?.description.hasPrefix("c.yaml:4:") == true)
    }
}
