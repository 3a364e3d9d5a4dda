import Glibc

/// What tells one content of a file from another without reading it. Nil stands for a file that is not there.
struct FileStamp: Equatable {
    var device: UInt64
    var inode: UInt64
    var byteCount: Int64
    /// Of its last change, in nanoseconds.
    var changed: Int64

    /// Of what the path leads to, through links: a directory of links that is swapped is a change.
    static func of(_ path: String) -> FileStamp? {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { return nil }
        let seconds = Int64(status.st_mtim.tv_sec)
        let (nanoseconds, _) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return FileStamp(
            device: UInt64(status.st_dev), inode: UInt64(status.st_ino),
            byteCount: Int64(status.st_size), changed: nanoseconds &+ Int64(status.st_mtim.tv_nsec))
    }
}

/// When files that belong together are read again. Pure.
///
/// They are written one after the other, and each takes a while: only what has been the same for two looks is read. What
/// was read once is not read again until it changes, whatever came of it.
struct FileWatch: Equatable {
    private var read: [FileStamp?]
    private var seen: [FileStamp?]

    /// The files as they were read first.
    init(_ stamps: [FileStamp?]) { (read, seen) = (stamps, stamps) }

    /// The files as they are now; returns whether they are to be read.
    mutating func look(_ stamps: [FileStamp?]) -> Bool {
        let isSettled = stamps == seen
        seen = stamps
        guard isSettled, stamps != read else { return false }
        read = stamps
        return true
    }
}
