public import Logging

/// swift-log's way to `LogWriter`: one line an event.
public struct GatewayLogHandler: LogHandler {
    public var logLevel = Logger.Level.info
    public var metadata = Logger.Metadata()
    private let label: String
    private let format: LogFormat
    private let writer: LogWriter

    /// `format`: text on a terminal and JSON elsewhere unless given.
    public init(label: String, format: LogFormat? = nil, writer: LogWriter = .standardError) {
        self.label = label
        self.format = format ?? (writer.isTerminal ? .text : .json)
        self.writer = writer
    }

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    public func log(event: LogEvent) {
        var all = metadata
        if let own = event.metadata { all.merge(own) { _, new in new } }
        writer.write(
            format.line(
                level: event.level, message: "\(event.message)", label: label, metadata: all,
                time: LogTime.now()))
    }
}
