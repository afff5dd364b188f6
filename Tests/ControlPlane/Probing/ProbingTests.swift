import Domain
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Testing

@testable import Probing

/// A real prober, and servers on the loopback that are well or not.
@Suite(.timeLimit(.minutes(10))) struct `Probing` {
    static let logger = {
        var logger = Logger(label: "test.prober")
        logger.logLevel = .critical
        return logger
    }()

    /// Runs a prober while `body` runs, and stops it as a daemon is stopped.
    static func run<Result: Sendable>(
        _ prober: ControlVantage = ControlVantage(logger: logger),
        _ body: @escaping @Sendable (ControlVantage) async throws -> Result
    ) async throws -> Result {
        let group = ServiceGroup(services: [prober], logger: logger)
        return try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            let result: Swift.Result<Result, any Error>
            do { result = .success(try await body(prober)) } catch { result = .failure(error) }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
            return try result.get()
        }
    }

    /// How the first round that can be told of ended.
    static func outcome(of target: ProbeTarget, service: ServiceName? = nil) async throws -> ProbeOutcome {
        try await run { prober in
            prober.watch([target])
            for await outcome in prober.outcomes where outcome.service == service { return outcome }
            throw NeverHappened(what: "an outcome")
        }
    }

    static let right = MonitorStub.Manner.answers(status: 200, server: "za1")

    @Test func `a server that is well answers`() async throws {
        let outcome = try await MonitorStub.serving(`Probing`.right) { try await `Probing`.outcome(of: $0.target()) }
        #expect(outcome.error == nil)
        #expect(outcome.server.text == "za1")
        #expect(outcome.vantage == .control)
        #expect(outcome.duration > .zero)
    }

    @Test func `a server that is another is not the one that was asked`() async throws {
        try await MonitorStub.serving(.answers(status: 200, server: "ie1")) { stub in
            let outcome = try await `Probing`.outcome(of: stub.target())
            #expect(stub.isTold("is server ie1, not za1", in: outcome))
        }
    }

    @Test func `a certificate of another is told by its name`() async throws {
        try await MonitorStub.serving(`Probing`.right, certificateFor: ["ie1.dfree.test", "ie1.example"]) { stub in
            let outcome = try await `Probing`.outcome(of: stub.target())
            #expect(outcome.error == "127.0.0.1:\(stub.httpsPort): certificate is for ie1.dfree.test and 1 more")
        }
    }

    @Test func `a server that is not serving says so`() async throws {
        try await MonitorStub.serving(.answers(status: 503, server: "za1")) { stub in
            let outcome = try await `Probing`.outcome(of: stub.target())
            #expect(stub.isTold("status 503", in: outcome))
        }
    }

    @Test func `a server that is silent is missed when its time is over`() async throws {
        try await MonitorStub.serving(.isSilent) { stub in
            let outcome = try await `Probing`.outcome(of: stub.target(timeout: .seconds(1)))
            let silent = [stub.httpPort, stub.httpsPort].map { "127.0.0.1:\($0): accepted, but no answer in 1000 ms" }
            #expect(outcome.error == silent.joined(separator: "; "))
            #expect(outcome.accepted)
            #expect(outcome.duration >= .seconds(1))
        }
    }

    @Test func `a server whose ports are closed is missed at once`() async throws {
        let target = try await MonitorStub.serving(`Probing`.right) { try $0.target(timeout: .seconds(60)) }
        let outcome = try await `Probing`.outcome(of: target)
        #expect(outcome.error?.contains(": refused") == true)
        #expect(outcome.error?.contains("no answer") == false, "nobody waited for the end of its time")
    }

    @Test func `a server that hangs up without a word is asked again until its time is over`() async throws {
        try await MonitorStub.serving(.hangsUp) { stub in
            let outcome = try await `Probing`.outcome(of: stub.target(timeout: .seconds(10)))
            let words = "accepted, but no answer in 10000 ms, and once: closed without an answer"
            #expect(stub.isTold(words, in: outcome), "\(outcome.error ?? "")")
        }
    }

    @Test func `what is no HTTP is told as that`() async throws {
        let outcome = try await MonitorStub.serving(.speaksNonsense) { try await `Probing`.outcome(of: $0.target()) }
        #expect(outcome.error?.contains("an answer that is no HTTP") == true)
    }

    @Test func `what speaks no TLS is told as that`() async throws {
        try await MonitorStub.serving(`Probing`.right) { stub in
            let target = ProbeTarget(
                server: try ServerName("za1"), hostname: try DomainName("za1.dfree.test"),
                addresses: [try Address("127.0.0.1")], httpPort: stub.httpPort, httpsPort: stub.httpPort,
                interval: .milliseconds(50), timeout: .seconds(60), checks: [])
            let outcome = try await `Probing`.outcome(of: target)
            #expect(outcome.error == "127.0.0.1:\(stub.httpPort): TLS: wrong version number")
        }
    }

    @Test func `a network that loses most of what is sent is not taken for a dead server`() async throws {
        // Fewer attempts than five make no miss, however slow this machine is; and the fourth is answered.
        let outcome = try await MonitorStub.serving(.answersAfter(lost: 3)) {
            try await `Probing`.outcome(of: $0.target(timeout: .seconds(3)))
        }
        #expect(outcome.error == nil)
        #expect(outcome.duration >= .milliseconds(750))
    }

    @Test func `an address that this machine has no way to says nothing of the server`() async throws {
        // Nobody can be connected to there: it is everybody.
        let nowhere = "255.255.255.255"
        try await MonitorStub.serving(`Probing`.right) { stub in
            let outcome = try await `Probing`.outcome(of: stub.target(addresses: ["127.0.0.1", nowhere]))
            #expect(outcome.error == nil)
            let target = try stub.target(addresses: [nowhere])
            let told = try await `Probing`.run { prober in
                prober.watch([target])
                try await Task.sleep(for: .milliseconds(500))
                prober.watch([])
                return prober.outcomes
            }
            for await outcome in told { Issue.record("it was told: \(outcome)") }
        }
    }

    @Test func `a vantage that cannot make connections tells nothing`() async throws {
        try await MonitorStub.serving(`Probing`.right) { stub in
            let target = try stub.target(timeout: .milliseconds(100))
            let told = try await `Probing`.run(ControlVantage(logger: `Probing`.logger, mostAttempts: 0)) { prober in
                prober.watch([target])
                try await Task.sleep(for: .milliseconds(500))
                return prober.outcomes
            }
            for await outcome in told { Issue.record("it was told: \(outcome)") }
        }
    }

    @Test(arguments: [true, false])
    func `a service's check asks for an answer, whoever's the certificate is`(usesTLS: Bool) async throws {
        let service = try ServiceName("shop")
        let check = ProbeCheck(
            service: service, host: try DomainName("shop.acme.test"), path: "/health", usesTLS: usesTLS)
        let answered = try await MonitorStub.serving(.answers(status: 404, server: "")) {
            try await `Probing`.outcome(of: $0.target(checks: [check]), service: service)
        }
        #expect(answered.error == nil)
        #expect(answered.service == service)
        try await MonitorStub.serving(.answers(status: 502, server: "")) { stub in
            let missed = try await `Probing`.outcome(of: stub.target(checks: [check]), service: service)
            #expect(missed.error == "127.0.0.1:\(usesTLS ? stub.httpsPort : stub.httpPort): status 502")
        }
    }

    @Test func `a new list ends what it does not name, and begins what it names anew`() async throws {
        try await MonitorStub.serving(`Probing`.right) { stub in
            let service = try ServiceName("shop")
            let plain = try stub.target()
            let checked = try stub.target(checks: [
                ProbeCheck(service: service, host: try DomainName("shop.acme.test"), path: "/", usesTLS: false)
            ])
            try await `Probing`.run { prober in
                prober.watch([plain])
                var outcomes = prober.outcomes.makeAsyncIterator()
                #expect(await outcomes.next()?.service == nil)
                prober.watch([checked])
                while let outcome = await outcomes.next(), outcome.service != service {}
                prober.watch([plain])
                // What is under way may end yet.
                var inARow = 0
                while inARow < 20, let outcome = await outcomes.next() {
                    inARow = outcome.service == nil ? inARow + 1 : 0
                }
                #expect(inARow == 20)
                prober.watch([])
            }
        }
    }

    @Test func `a certificate is looked at without trust`() throws {
        let host = try DomainName("za1.dfree.test")
        let (own, _) = try MonitorStub.certificate(["other.test", "ZA1.dfree.test"])
        #expect(ProbeTLS.problem(ofCertificate: own, host) == nil)
        let (nameless, _) = try MonitorStub.certificate([])
        #expect(ProbeTLS.problem(ofCertificate: nameless, host) == "certificate is for nobody")
        let (wildcard, _) = try MonitorStub.certificate(["*.dfree.test"])
        #expect(ProbeTLS.problem(ofCertificate: wildcard, host) == "certificate is for *.dfree.test")
        #expect(ProbeTLS.problem(ofCertificate: Array("no certificate".utf8), host) == "certificate cannot be read")
        var random = RepeatableGenerator(seed: 3)
        for _ in 0..<300 {
            var damaged = own
            damaged[Int.random(in: 0..<damaged.count, using: &random)] ^= UInt8.random(in: 1...255, using: &random)
            _ = ProbeTLS.problem(ofCertificate: damaged, host)
        }
    }
}
