import ProtoRuntime
import Testing
import Transcode

@testable import Gateway

@Suite struct ReflectionClientStateTests {
    typealias Question = Reflection.Question

    @Test func `it asks for the services by v1 first`() {
        var state = Self.state()
        #expect(state.start() == [.open(.v1), .ask(.listServices(""))])
    }

    @Test func `v1alpha is tried when v1 is not there`() {
        var state = Self.state()
        _ = state.start()
        #expect(
            state.streamEnded(Status(.unimplemented, "unknown service"))
                == [.open(.v1alpha), .ask(.listServices(""))])
        #expect(
            state.streamEnded(Status(.unimplemented))
                == [
                    .fail(
                        .notOffered([
                            "grpc.reflection.v1: UNIMPLEMENTED: unknown service",
                            "grpc.reflection.v1alpha: UNIMPLEMENTED",
                        ]))
                ])
    }

    @Test func `an error answer that says unimplemented counts as much as a status`() {
        var state = Self.state()
        _ = state.start()
        let answer = Reflection.Answer(.failure(code: 12, message: "no"))
        #expect(state.receive(answer) == [.open(.v1alpha), .ask(.listServices(""))])
    }

    @Test(arguments: [StatusCode.permissionDenied, .unauthenticated, .unknown, .internal])
    func `other errors are not answered by v1alpha`(code: StatusCode) {
        var state = Self.state()
        _ = state.start()
        #expect(
            state.streamEnded(Status(code, "no")) == [.fail(.refused("\(code.name): no"))])
    }

    @Test func `a stream that ends early is an error that names what is missing`() {
        var state = Self.listed(["a.S"])
        #expect(
            state.streamEnded(.ok)
                == [.fail(.malformed("the stream ends before the file of a.S is answered"))])
    }

    @Test func `every service is asked for once, the gateway's own are not`() {
        var state = Self.state()
        _ = state.start()
        let names = ["grpc.health.v1.Health", "a.S", "a.S", "b.T", Reflection.Version.v1.service]
        #expect(
            state.receive(Reflection.Answer(.services(names)))
                == [.ask(.fileContainingSymbol("a.S")), .ask(.fileContainingSymbol("b.T"))])
    }

    @Test func `imports that did not come are asked for by name, once`() {
        var state = Self.listed(["a.S", "b.T"])
        let common = TestFile("common.proto")
        let first = TestFile("a.proto", service: "a.S", imports: ["common.proto"])
        let second = TestFile("b.proto", service: "b.T", imports: ["common.proto"])
        #expect(
            state.receive(answer([first], to: .fileContainingSymbol("a.S")))
                == [.ask(.fileByName("common.proto"))])
        #expect(state.receive(answer([second], to: .fileContainingSymbol("b.T"))).isEmpty)
        #expect(
            services(state.receive(answer([common], to: .fileByName("common.proto"))))
                == ["a.S", "b.T"])
    }

    @Test func `imports that came along are not asked for`() {
        var state = Self.listed(["a.S"])
        let files = [
            TestFile("a.proto", service: "a.S", imports: ["b.proto"]),
            TestFile("b.proto", imports: ["c.proto"]), TestFile("c.proto"),
        ]
        let actions = state.receive(answer(files, to: .fileContainingSymbol("a.S")))
        #expect(services(actions) == ["a.S"])
        guard case .finish(let reflected) = actions.first else { return }
        #expect(reflected.fileCount == 3 && reflected.protocolName == "grpc.reflection.v1")
    }

    @Test func `a file that comes twice is taken once`() {
        var state = Self.listed(["a.S", "a.T"])
        let file = TestFile("a.proto", services: ["a.S", "a.T"], imports: [])
        _ = state.receive(answer([file, file], to: .fileContainingSymbol("a.S")))
        let actions = state.receive(answer([file], to: .fileContainingSymbol("a.T")))
        guard case .finish(let reflected) = actions.first else {
            Issue.record("\(actions)")
            return
        }
        #expect(reflected.fileCount == 1 && reflected.services == ["a.S", "a.T"])
    }

    @Test func `an answer that is repeated does not answer the next question`() {
        var state = Self.listed(["a.S", "b.T"])
        let first = answer(
            [TestFile("a.proto", service: "a.S")], to: .fileContainingSymbol("a.S"))
        let second = answer(
            [TestFile("b.proto", service: "b.T")], to: .fileContainingSymbol("b.T"))
        #expect(state.receive(first).isEmpty)
        #expect(state.receive(first).isEmpty)
        #expect(services(state.receive(second)) == ["a.S", "b.T"])
        #expect(state.receive(second).isEmpty)
    }

    @Test func `answers may come in another order`() {
        var state = Self.listed(["a.S", "b.T"])
        let second = answer(
            [TestFile("b.proto", service: "b.T")], to: .fileContainingSymbol("b.T"))
        let first = answer(
            [TestFile("a.proto", service: "a.S")], to: .fileContainingSymbol("a.S"))
        #expect(state.receive(second).isEmpty)
        #expect(services(state.receive(first)) == ["a.S", "b.T"])
    }

    @Test func `without the repeated question an answer belongs to the oldest`() {
        var state = Self.listed(["a.S", "b.T"])
        let files = [TestFile("a.proto", service: "a.S"), TestFile("b.proto", service: "b.T")]
        #expect(state.receive(Reflection.Answer(.files([files[0].bytes]))).isEmpty)
        #expect(
            services(state.receive(Reflection.Answer(.files([files[1].bytes]))))
                == ["a.S", "b.T"])
    }

    @Test func `two files of one name with different content are refused by that name`() {
        var state = Self.listed(["a.S"])
        let files = [
            TestFile("a.proto", service: "a.S", imports: ["b.proto"]), TestFile("b.proto"),
            TestFile("b.proto", service: "b.T"),
        ]
        #expect(
            state.receive(answer(files, to: .fileContainingSymbol("a.S")))
                == [.fail(.conflictingFile("b.proto"))])
    }

    @Test func `comments make no conflict`() {
        var state = Self.listed(["a.S"])
        let plain = TestFile("a.proto", service: "a.S")
        let commented = Reflection.Answer(
            .files([plain.bytes, plain.bytes + [0x4A, 0x00]]),
            to: Reflection.Request(.fileContainingSymbol("a.S")))
        #expect(services(state.receive(commented)) == ["a.S"])
    }

    @Test func `a service without descriptor is skipped with the reason`() {
        var state = Self.listed(["a.S", "b.T"])
        let refusal = Reflection.Answer(
            .failure(code: 5, message: "not here"),
            to: Reflection.Request(.fileContainingSymbol("a.S")))
        #expect(state.receive(refusal).isEmpty)
        let actions = state.receive(
            answer([TestFile("b.proto", service: "b.T")], to: .fileContainingSymbol("b.T")))
        #expect(services(actions) == ["b.T"])
        #expect(
            skipped(actions) == [
                .init(service: "a.S", reason: "no descriptor: NOT_FOUND: not here")
            ])
    }

    @Test func `a missing import takes out only the services that need it`() {
        var state = Self.listed(["a.S", "b.T"])
        let files = [
            TestFile("a.proto", service: "a.S", imports: ["x.proto"]),
            TestFile("x.proto", imports: ["gone.proto"]), TestFile("b.proto", service: "b.T"),
        ]
        _ = state.receive(answer(files, to: .fileContainingSymbol("a.S")))
        _ = state.receive(
            Reflection.Answer(
                .failure(code: 5, message: "no"), to: Reflection.Request(.fileByName("gone.proto")))
        )
        let actions = state.receive(answer([files[2]], to: .fileContainingSymbol("b.T")))
        #expect(services(actions) == ["b.T"])
        #expect(
            skipped(actions).map(\.reason) == [
                "a.proto imports x.proto, which imports \"gone.proto\", "
                    + "which is missing: NOT_FOUND: no"
            ])
        guard case .finish(let reflected) = actions.first else { return }
        #expect(reflected.fileCount == 1)
    }

    @Test func `a wrong file does not count as the one that was asked for`() {
        var state = Self.listed(["a.S"])
        let actions = state.receive(
            answer([TestFile("b.proto")], to: .fileContainingSymbol("a.S")))
        #expect(
            actions == [
                .fail(
                    .nothingToServe([
                        .init(
                            service: "a.S",
                            reason: "no descriptor: the answer does not contain it")
                    ]))
            ])
    }

    @Test func `a weak import may be missing`() {
        var state = Self.listed(["a.S"])
        let file = TestFile("a.proto", service: "a.S", imports: ["weak.proto"], weak: [0])
        _ = state.receive(answer([file], to: .fileContainingSymbol("a.S")))
        let refusal = Reflection.Answer(
            .failure(code: 5, message: ""), to: Reflection.Request(.fileByName("weak.proto")))
        #expect(services(state.receive(refusal)) == ["a.S"])
    }

    @Test func `only a few questions wait for answers at a time`() {
        let names = (0..<20).map { "p.S\($0)" }
        var state = Self.state()
        _ = state.start()
        var open = state.receive(Reflection.Answer(.services(names))).count
        #expect(open == ReflectionLimits().pendingMax)
        for name in names.dropLast() {
            let file = TestFile("\(name).proto", service: name)
            open += state.receive(answer([file], to: .fileContainingSymbol(name))).count
        }
        #expect(open == names.count)
    }

    @Test(arguments: ["services", "files", "bytes", "questions"])
    func `everything has a limit`(what: String) {
        var limits = ReflectionLimits()
        if what == "services" { limits.servicesMax = 1 }
        if what == "files" { limits.filesMax = 1 }
        if what == "bytes" { limits.fileBytesMax = 30 }
        if what == "questions" { limits.questionsMax = 2 }
        var state = ReflectionClientState(limits: limits, ownServices: [])
        _ = state.start()
        var actions = state.receive(Reflection.Answer(.services(["a.S", "b.T"])))
        if actions.count == 2 {
            let files = [TestFile("a.proto", service: "a.S"), TestFile("b.proto", service: "b.T")]
            actions = state.receive(answer(files, to: .fileContainingSymbol("a.S")))
        }
        guard case .fail(.limit(let text)) = actions.first else {
            Issue.record("\(actions)")
            return
        }
        #expect(text.contains(what == "bytes" ? "bytes" : what))
    }

    @Test(arguments: [[0xFF], [], [0x12, 0x01, 0x61]] as [[UInt8]])
    func `what is no file is refused`(bytes: [UInt8]) {
        var state = Self.listed(["a.S"])
        let actions = state.receive(Reflection.Answer(.files([bytes])))
        guard case .fail(.malformed) = actions.first else {
            Issue.record("\(actions)")
            return
        }
    }

    @Test func `it says what is awaited`() {
        #expect(Self.listed(["a.S"]).awaited == "no answer to the file of a.S")
        #expect(Self.listed(["a.S", "b.T"]).awaited == "no answer to the file of a.S and 1 more")
    }

    // MARK: Support

    private static func state() -> ReflectionClientState {
        ReflectionClientState(limits: ReflectionLimits(), ownServices: LocalServices.names)
    }

    /// A state to which the services were told.
    private static func listed(_ services: [String]) -> ReflectionClientState {
        var state = state()
        _ = state.start()
        _ = state.receive(Reflection.Answer(.services(services)))
        return state
    }

    private func answer(_ files: [TestFile], to question: Question) -> Reflection.Answer {
        Reflection.Answer(.files(files.map(\.bytes)), to: Reflection.Request(question))
    }

    private func services(_ actions: [ReflectionClientState.Action]) -> [String]? {
        guard case .finish(let reflected) = actions.first else { return nil }
        return reflected.services
    }

    private func skipped(_ actions: [ReflectionClientState.Action]) -> [ReflectedServices.Skipped] {
        guard case .finish(let reflected) = actions.first else { return [] }
        return reflected.skipped
    }
}

/// A FileDescriptorProto of little content.
struct TestFile {
    let bytes: [UInt8]

    init(_ name: String, service: String, imports: [String] = [], weak: [Int] = []) {
        self.init(name, services: [service], imports: imports, weak: weak)
    }

    init(_ name: String, services: [String] = [], imports: [String] = [], weak: [Int] = []) {
        var output = OutputBlock()
        output.appendField(1, string: name)
        if let first = services.first, let dot = first.lastIndex(of: ".") {
            output.appendField(2, string: String(first[..<dot]))
        }
        for imported in imports { output.appendField(3, string: imported) }
        for service in services {
            output.appendField(6) { (output: inout OutputBlock) in
                output.appendField(
                    1,
                    string: String(
                        service[
                            service.index(
                                after: service.lastIndex(of: ".")
                                    ?? service.startIndex)...]))
            }
        }
        for position in weak { output.appendField(11, varint: UInt64(position)) }
        bytes = [UInt8](copying: output.bytes)
    }
}
