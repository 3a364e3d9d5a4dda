public import Logging
import ProtoRuntime

/// How one event becomes one line. Pure.
public enum LogFormat: Sendable {
    /// For people: `14:42:40.123 warning upstream demo: refused key=value`.
    case text
    /// For machines: one JSON object.
    case json

    /// The line of one event, with its newline.
    /// - Parameter time: nanoseconds since 1970, UTC.
    public func line(
        level: Logger.Level, message: String, label: String, metadata: Logger.Metadata, time: Int64
    ) -> String {
        let fields = metadata.sorted { $0.key < $1.key }
        switch self {
        case .text:
            let clock = LogTime.timestamp(time).dropFirst("0000-00-00T".count).dropLast()
            var line = "\(clock) \(level.rawValue)"
            line += String(repeating: " ", count: max(1, 9 - level.rawValue.count))
            line += LogFormat.oneLine(message)
            for (key, value) in fields { line += " \(key)=\(LogFormat.oneLine("\(value)"))" }
            return line + "\n"
        case .json:
            var line =
                "{\"time\":\"\(LogTime.timestamp(time))\",\"level\":\"\(level.rawValue)\",\"logger\":"
            LogFormat.appendQuoted(label, to: &line)
            line += ",\"message\":"
            LogFormat.appendQuoted(message, to: &line)
            for (key, value) in fields {
                line += ","
                LogFormat.appendQuoted(key, to: &line)
                line += ":"
                LogFormat.appendQuoted("\(value)", to: &line)
            }
            return line + "}\n"
        }
    }

    /// Control characters would break the line, or worse, the terminal.
    private static func oneLine(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isControl) else { return text }
        var result = ""
        for scalar in text.unicodeScalars {
            if isControl(scalar) {
                result += scalar.escaped(asASCII: true)
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)
    }

    private static func appendQuoted(_ text: String, to line: inout String) {
        line += "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": line += "\\\""
            case "\\": line += "\\\\"
            case _ where isControl(scalar):
                let digits = String(scalar.value, radix: 16)
                line += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: line.unicodeScalars.append(scalar)
            }
        }
        line += "\""
    }
}
