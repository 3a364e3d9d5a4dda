/// What `RouteTable.match` says of a path.
public enum RouteOutcome: Equatable, Sendable {
    /// The index of the route; the match holds its captures.
    case route(Int32)
    case notFound
    /// Some route has this path, none with this method; `RouteTable.allowedMethods` names them.
    case methodNotAllowed
    /// A `%` without two hexadecimal digits, or `%00`, at this offset of the path.
    case malformedPath(at: Int)
}

/// Where a route's variables stand in the raw path. Reused from call to call; allocates nothing more.
///
/// A class, since it is large: handed on as a value it was copied five times a call.
public final class RouteMatch {
    /// How many variables a template may have.
    public static let capturesMax = 16

    struct Extent: BitwiseCopyable {
        var start: UInt32 = 0
        var end: UInt32 = 0
    }

    public internal(set) var route: Int32 = -1
    public internal(set) var captureCount = 0

    var captures = InlineArray<16, Extent>(repeating: Extent())
    /// Scratch: the segments before and at `**`, one more than `PathTemplate.segmentsMax`.
    var front = InlineArray<33, Extent>(repeating: Extent())
    /// Scratch: the literals behind `**`.
    var back = InlineArray<33, Extent>(repeating: Extent())
    /// Scratch: some route had this path, whatever its method.
    var isPathKnown = false

    public init() {}

    /// The bytes of variable `index`, still percent-encoded, as a range of the path.
    public func capture(_ index: Int) -> Range<Int> {
        precondition(index < captureCount, "RouteMatch has no such capture")
        let extent = captures[index]
        return Int(extent.start)..<Int(extent.end)
    }
}
