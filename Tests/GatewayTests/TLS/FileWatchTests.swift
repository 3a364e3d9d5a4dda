import Testing

@testable import Gateway

@Suite struct FileWatchTests {
    private static func stamp(_ inode: UInt64, bytes: Int64 = 1) -> FileStamp {
        FileStamp(device: 1, inode: inode, byteCount: bytes, changed: 0)
    }

    private static let (a, b, c, d) = (stamp(1), stamp(2), stamp(3), stamp(4))

    /// Files a and b are watched: whether they are read at each look, as they are then.
    @Test(
        arguments: [
            ("no change", [[a, b], [a, b]], [false, false]),
            ("a change that lasts", [[c, b], [c, b], [c, b]], [false, true, false]),
            ("one after the other", [[c, b], [c, d], [c, d]], [false, false, true]),
            ("a change and back", [[c, b], [a, b], [a, b]], [false, false, false]),
            (
                "growing", [[stamp(1, bytes: 2), b], [stamp(1, bytes: 3), b]],
                [false, false]
            ),
            ("gone and back", [[nil, b], [a, b], [a, b]], [false, false, false]),
            (
                "gone, and back later", [[nil, b], [nil, b], [a, b], [a, b]],
                [false, true, false, true]
            ),
        ] as [(String, [[FileStamp?]], [Bool])])
    func `files are read when they have changed and have been the same for two looks`(
        _ what: String, _ looks: [[FileStamp?]], _ reads: [Bool]
    ) {
        var watch = FileWatch([Self.a, Self.b])
        let seen = looks.map { watch.look($0) }
        #expect(seen == reads, "\(what)")
    }

    @Test func `a stamp tells files apart`() throws {
        let file = try #require(FileStamp.of(#filePath))
        #expect(FileStamp.of(#filePath) == file)
        #expect(FileStamp.of("/") != file)
        #expect(FileStamp.of("/no/such/file") == nil)
        #expect(file.byteCount > 1000 && file.changed > 0)
    }
}
