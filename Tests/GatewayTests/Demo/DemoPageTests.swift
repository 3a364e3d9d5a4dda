import Testing

@testable import Gateway

@Suite struct DemoPageTests {
    @Test(
        arguments: [
            ("Moby-Dick; or, The Whale", "moby-dick-or-the-whale"), ("  Emma  ", "emma"),
            ("Émile", "mile"), ("1984", "1984"), ("!!!", "untitled"), ("", "untitled"),
            ("戦争と平和", "untitled"), ("a--b", "a-b"),
        ])
    func `an identifier is made of a title`(title: String, id: String) {
        #expect(DemoName.slug(of: title) == id)
        #expect(DemoName.isValid(id))
    }

    @Test func `a long title gives an identifier with room for a number`() {
        let id = DemoName.slug(of: String(repeating: "ab ", count: 100))
        #expect(DemoName.isValid("\(id)-10000"))
    }

    @Test(arguments: ["", "-a", "a-", "A", "a b", "a/b", "é", String(repeating: "a", count: 64)])
    func `an identifier that is none is refused`(id: String) {
        #expect(!DemoName.isValid(id))
    }
}
