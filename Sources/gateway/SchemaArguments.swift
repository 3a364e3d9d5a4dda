import ArgumentParser
import ProtoRuntime
import Transcode

/// Where descriptors come from: the same for every command that needs them.
struct DescriptorArguments: ParsableArguments {
    @Option(
        name: .customLong("descriptors"),
        help:
            "A FileDescriptorSet with imports, as `protoc --include_imports -o` or `buf build -o` write it."
    )
    var files: [String] = []

    func load() throws(CommandFailure) -> DescriptorPool {
        var sets: [[UInt8]] = []
        for file in files { sets.append(try Terminal.readFile(file)) }
        do throws(DescriptorError) {
            return try DescriptorPool(fileDescriptorSets: sets)
        } catch {
            throw CommandFailure(
                status: ExitStatus.badInput, message: "\(files.joined(separator: ", ")): \(error)")
        }
    }
}

/// How JSON is read and written: the same names as in the configuration.
struct JSONArguments: ParsableArguments {
    enum UnknownFields: String, ExpressibleByArgument, CaseIterable { case ignore, reject }
    enum Defaults: String, ExpressibleByArgument, CaseIterable { case omit, emit }
    enum Enums: String, ExpressibleByArgument, CaseIterable { case name, number, stripped }
    enum Int64Form: String, ExpressibleByArgument, CaseIterable { case string, number }
    enum Names: String, ExpressibleByArgument, CaseIterable { case json, proto }

    @Option(help: "What happens to JSON fields that the message does not have.")
    var unknownFields = UnknownFields.ignore
    @Option(help: "Whether fields with their default value are printed.")
    var defaults = Defaults.omit

    /// The options as the codec takes them.
    var options: JSONOptions {
        var options = JSONOptions()
        options.unknownFields = unknownFields == .reject ? .reject : .ignore
        options.defaults = defaults == .emit ? .emit : .omit
        return options
    }
}

/// The options that only printing has.
struct JSONFormArguments: ParsableArguments {
    @Option(help: "How enum values are printed.")
    var enums = JSONArguments.Enums.name
    @Option(name: .customLong("int64"), help: "How 64-bit integers are printed.")
    var int64 = JSONArguments.Int64Form.string
    @Option(help: "Which names fields are printed with.")
    var names = JSONArguments.Names.json
    @Option(help: "Spaces of indentation a level; 0 prints one line.")
    var indent = 0

    func validate() throws {
        guard (0...16).contains(indent) else {
            throw ValidationError("--indent must be from 0 to 16")
        }
    }

    func apply(to options: inout JSONOptions) {
        options.enums =
            switch enums {
            case .name: .name
            case .number: .number
            case .stripped: .stripped
            }
        options.int64 = int64 == .number ? .number : .string
        options.names = names == .proto ? .proto : .json
        options.indent = indent
    }
}
