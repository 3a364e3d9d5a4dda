import ProtoRuntime
import Testing

@testable import Gateway

@Suite struct FileCatalogTests {
    @Test func `a file of another content, and what imports it, get names of their own`() throws {
        var catalog = FileCatalog()
        let first = catalog.add(try ShopFiles.pool("Orders", field: "price", .int32))
        let count = catalog.files.count
        let second = catalog.add(try ShopFiles.pool("Stock", field: "tags", .string))

        #expect(catalog.files.count == count + 2, "protobuf's own files are there once")
        #expect(first["shop/item.proto"] == catalog.filesByName["shop/item.proto"])
        let item = try #require(second["shop/item.proto"])
        let calls = try #require(second["shop/calls.proto"])
        #expect(catalog.filesByName["2/shop/item.proto"] == item)
        #expect(catalog.filesByName["2/shop/calls.proto"] == calls)
        #expect(catalog.files[calls].imports == [item])
        // What clients are told links by itself.
        let told = try FileOutline(catalog.files[calls].bytes)
        #expect(told.name == "2/shop/calls.proto" && told.imports == ["2/shop/item.proto"])
        #expect(told.services == ["shop.Stock"])
        #expect(try FileOutline(catalog.files[item].bytes).symbols == ["shop.Item"])
    }

    @Test func `the same files are there once, and a third kind has its own name`() throws {
        var catalog = FileCatalog()
        let orders = try ShopFiles.pool("Orders", field: "price", .int32)
        let first = catalog.add(orders)
        _ = catalog.add(try ShopFiles.pool("Stock", field: "tags", .string))
        let count = catalog.files.count
        #expect(catalog.add(orders) == first)
        #expect(catalog.files.count == count)
        // The one file is known, the other one is not.
        let returned = catalog.add(try ShopFiles.pool("Returns", field: "price", .int32))
        #expect(returned["shop/item.proto"] == first["shop/item.proto"])
        let calls = try #require(returned["shop/calls.proto"])
        #expect(catalog.files[calls].name == "3/shop/calls.proto")
        #expect(
            try FileOutline(catalog.files[calls].bytes).imports == ["shop/item.proto"])
    }

    @Test func `a service is told from the upstream that serves it, though others declare it`()
        throws
    {
        let pools = [
            try ShopFiles.pool("Orders", field: "price", .int32),
            try ShopFiles.pool("Orders", field: "tags", .string),
        ]
        let index = ReflectionIndex(pools, services: [.init(name: "shop.Orders", pool: 1)])
        for symbol in ["shop.Orders", "shop.Orders.Get"] {
            #expect(index.file(declaring: symbol) == index.file(named: "2/shop/calls.proto"))
        }
        #expect(index.file(declaring: "shop.Item") == index.file(named: "shop/item.proto"))
        #expect(index.file(declaring: "shop.Item.tags") != nil)
        #expect(index.file(declaring: "shop.Item.nothing") == nil)
    }
}
