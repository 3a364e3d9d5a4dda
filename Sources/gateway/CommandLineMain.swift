import ArgumentParser
import Gateway
import Glibc
import Logging

/// Exit codes of every command (contract in docs/architecture.md).
enum ExitStatus {
    static let badInput: Int32 = 1
    static let usage: Int32 = 2
    static let cannotBind: Int32 = 3
    static let unreachable: Int32 = 4
}

/// A failure that a command reports in one line on stderr, and the exit code that goes with it.
struct CommandFailure: Error {
    let status: Int32
    let message: String
    /// The message without what it is about, such as "No such file or directory".
    let reason: String

    init(status: Int32, message: String, reason: String? = nil) {
        self.status = status
        self.message = message
        self.reason = reason ?? message
    }
}

struct GatewayCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gateway",
        abstract: "REST/JSON, Connect and gRPC clients in front, gRPC services behind.",
        subcommands: [
            DemoCommand.self, ProxyCommand.self, RunCommand.self, CheckCommand.self,
            RoutesCommand.self, ExplainCommand.self, ConvertCommand.self, VersionCommand.self,
        ])
}

/// Parses the arguments, runs the command and turns every failure into text on stderr and an exit code.
enum CommandLineMain {
    static func run() {
        LoggingSystem.bootstrap { GatewayLogHandler(label: $0) }
        do {
            var command = try GatewayCommand.parseAsRoot()
            try command.run()
        } catch let failure as CommandFailure {
            LogWriter.standardError.flush()
            Terminal.printError("gateway: \(failure.message)")
            exit(failure.status)
        } catch let code as ExitCode {
            exit(code.rawValue)
        } catch {
            finish(error)
        }
    }

    private static func finish(_ error: any Error) {
        let isHelp = GatewayCommand.exitCode(for: error).isSuccess
        let text = GatewayCommand.fullMessage(for: error)
        if isHelp {
            Terminal.print(text)
            exit(0)
        }
        Terminal.printError(text)
        exit(ExitStatus.usage)
    }
}

struct VersionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "version", abstract: "Print the version.")

    static let number = "0.1.0"

    func run() { Terminal.print("gateway \(VersionCommand.number)") }
}
