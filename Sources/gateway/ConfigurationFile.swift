import Gateway
import Glibc

/// Reads a configuration file and what it names.
enum ConfigurationFile {
    /// Largest text that `${file:…}` puts in.
    static let secretBytesMax = 64 << 10

    /// Decodes and checks the whole of it; every problem is one line on stderr.
    static func load(_ path: String) throws(CommandFailure) -> ConfiguredGateway {
        let bytes = try Terminal.readFile(path)
        let folder =
            path.contains("/")
            ? path.prefix(through: path.lastIndex(of: "/") ?? path.startIndex) : ""
        do throws(ConfigurationError) {
            let configuration = try Configuration(
                decoding: bytes, file: path, environment: environment,
                file: { (name) throws(ConfigurationFileError) in try secret(in: name, folder) })
            return try ConfiguredGateway(
                configuration, file: path, path: { place($0, folder) },
                readFile: { (name) throws(ConfigurationFileError) in try read(name, folder) })
        } catch {
            throw report(error)
        }
    }

    /// Prints every problem, one a line.
    static func report(_ error: ConfigurationError) -> CommandFailure {
        LogWriter.standardError.flush()
        for line in error.description.split(separator: "\n") { Terminal.printError(String(line)) }
        let count = error.problems.count
        return CommandFailure(
            status: ExitStatus.badInput,
            message: "\(error.file): \(count == 1 ? "1 error" : "\(count) errors")")
    }

    private static func environment(_ name: String) -> String? {
        guard let value = unsafe getenv(name) else { return nil }
        return unsafe String(cString: value)
    }

    /// Relative paths are relative to the configuration file's folder.
    private static func place(_ name: String, _ folder: Substring) -> String {
        name.hasPrefix("/") ? name : folder + name
    }

    private static func read(
        _ name: String, _ folder: Substring
    ) throws(ConfigurationFileError) -> [UInt8] {
        do throws(CommandFailure) {
            return try Terminal.readFile(place(name, folder))
        } catch {
            throw ConfigurationFileError(reason: error.reason)
        }
    }

    private static func secret(
        in name: String, _ folder: Substring
    ) throws(ConfigurationFileError) -> String {
        let bytes = try read(name, folder)
        guard bytes.count <= secretBytesMax else {
            throw ConfigurationFileError(reason: "the file has more than \(secretBytesMax) bytes")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw ConfigurationFileError(reason: "the file is not UTF-8")
        }
        return text
    }
}
