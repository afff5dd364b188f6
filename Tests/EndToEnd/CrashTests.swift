import Foundation
import Synchronization
import Testing

/// What the control plane has acknowledged it has, whenever it is killed, and what it did not answer can be asked
/// again.
@Suite(.load) struct `A control plane that is killed` {
    /// Creates customers and moves a service of its own, in turn, as fast as it is answered.
    private final class Writer: Sendable {
        struct State: Sendable {
            var number = 0
            /// By version, what it did as its summary has to say.
            var acknowledged: [Int: String] = [:]
            /// A customer whose creation was not answered.
            var openCreation: String?
            /// The last port that its service was moved to, and one to which it was told to move without an answer.
            var port = 8080
            var openPort: Int?
            /// Answers that are not what they should be.
            var complaints: [String] = []

            /// Takes note of the answer to a change.
            mutating func note(_ answer: API.Answer, status: Int, _ summary: String) {
                guard answer.status == status, let version = answer.version else {
                    complaints.append("\(summary): \(answer.status) \(answer.body)")
                    return
                }
                acknowledged[version] = summary
            }
        }

        let name: String
        private let api: API
        private let inner = Mutex(State())
        private let thread = DispatchGroup()

        init(_ name: String, _ api: API) {
            self.name = name
            self.api = api
        }

        var state: State { inner.withLock { $0 } }

        /// Writes until there is no answer.
        func start() {
            thread.enter()
            Thread { [self] in
                while write() {}
                thread.leave()
            }.start()
        }

        func waitForEnd() { thread.wait() }

        /// Creates a customer, with a key by which that is done once however often it is asked for.
        func create(_ customer: String) throws -> API.Answer {
            let answer = try api.call(
                "POST", "/customers", ["name": .string(customer)], fields: ["Idempotency-Key": "key-of-\(customer)"])
            inner.withLock { state in
                state.openCreation = nil
                state.note(answer, status: 201, "create customer \(customer)")
            }
            return answer
        }

        /// Takes note of where its service was found to be.
        func found(at port: Int) {
            inner.withLock { state in
                state.port = port
                state.openPort = nil
            }
        }

        private func write() -> Bool {
            let customer = inner.withLock { state in
                state.number += 1
                let customer = "\(name)-\(state.number)"
                state.openCreation = customer
                return customer
            }
            guard (try? create(customer)) != nil else { return false }
            let port = inner.withLock { state in
                let port = state.port + 1
                state.openPort = port
                return port
            }
            guard
                let answer = try? api.call(
                    "PATCH", "/services/\(name)", ["endpoint": ["httpPort": .integer(Int(port))]])
            else { return false }
            inner.withLock { state in
                state.note(answer, status: 200, "update service \(name)")
                state.port = port
                state.openPort = nil
            }
            return true
        }
    }

    private static let rounds = 4
    /// Enough that each writer has had its turn often, and is at it when the end comes.
    private static let changesInARound = 40

    @Test func `has all that it acknowledged, without a gap, and does once what it is asked twice`() throws {
        let fleet = try Fleet()
        // Nobody waits for it, so it need not run.
        _ = try fleet.registerServer("za1")
        try fleet.api.grant("POST", "/customers", ["name": "acme"])
        let writers = (0..<4).map { Writer("writer-\($0)", fleet.api) }
        for writer in writers {
            try fleet.api.grant(
                "POST", "/services",
                [
                    "name": .string(writer.name), "customer": "acme",
                    "clientDomains": [.string("\(writer.name).acme.test")],
                    "endpoint": Endpoint(host: Loopback.fresh(), httpPort: 8080).json, "primary": "za1",
                ])
        }
        for _ in 0..<Self.rounds {
            let before = Self.acknowledged(writers)
            for writer in writers { writer.start() }
            try eventually("changes are acknowledged") {
                Self.acknowledged(writers) >= before + Self.changesInARound
            }
            fleet.control.destroy()
            for writer in writers { writer.waitForEnd() }
            try fleet.restartControl()
            try Self.check(writers, fleet.api)
        }
    }

    private static func acknowledged(_ writers: [Writer]) -> Int {
        writers.reduce(0) { $0 + $1.state.acknowledged.count }
    }

    private static func check(_ writers: [Writer], _ api: API) throws {
        for writer in writers {
            let state = writer.state
            let service = try api.grant("GET", "/services/\(writer.name)").body
            let port = try #require(service["endpoint"]["httpPort"].integer)
            // What was not answered may have been done or not.
            #expect([state.port, state.openPort].contains(port), "\(writer.name): \(port), after \(state.port)")
            writer.found(at: port)
            guard let customer = state.openCreation else { continue }
            let first = try writer.create(customer)
            let second = try writer.create(customer)
            #expect(first.version == second.version)
            #expect(first.body == second.body)
            #expect(second.fields["idempotency-replayed"] == "true")
        }
        let summaries = try summaries(api)
        #expect(summaries.keys.sorted() == Array(1...max(1, summaries.count)), "versions have no gap")
        let created = summaries.values.filter { $0.hasPrefix("create ") }
        #expect(Set(created).count == created.count, "nothing was created twice")
        for state in writers.map(\.state) {
            #expect(state.complaints == [])
            for (version, summary) in state.acknowledged {
                #expect(summaries[version]?.hasPrefix(summary) == true, "version \(version) was to \(summary)")
            }
        }
    }

    /// What each version did, by its number.
    private static func summaries(_ api: API) throws -> [Int: String] {
        var summaries: [Int: String] = [:]
        var path = "/versions?limit=1000"
        while true {
            let page = try api.grant("GET", path).body
            for item in page["items"].items {
                let version = try #require(item["version"].integer)
                summaries[version] = item["summary"].text
            }
            guard let next = page["next"].text else { return summaries }
            path = "/versions?limit=1000&cursor=\(next)"
        }
    }
}

/// A process that is stopped and goes on (a frozen machine, a debugger) has not been told what has come meanwhile.
@Suite(.realParts) struct `A server that has stood still` {
    @Test func `cuts nobody who has said in that time what was to be said`() throws {
        let nginx = try Nginx("first")
        let fleet = try Fleet.single(to: nginx.first.endpoint, flags: ["--hello-timeout", "5"])
        let server = fleet.servers[0]
        let request = Array("GET / HTTP/1.1\r\nHost: app.acme.test\r\nConnection: close\r\n\r\n".utf8)
        let connections = try (0..<200).map { _ in
            let connection = try TCPConnection(to: server.http, patience: .seconds(120))
            try connection.send(Array(request.prefix(20)))
            return connection
        }
        try eventually("all have begun") {
            try server.metric("ddirect_worker_flows_open{worker=\"0\"}") == UInt64(connections.count)
        }
        try server.program.signal(SIGSTOP)
        for connection in connections { try connection.send(Array(request.dropFirst(20))) }
        pause(.seconds(7))
        try server.program.signal(SIGCONT)
        for connection in connections {
            let (text, end) = connection.receiveAll()
            #expect(text.hasPrefix("HTTP/1.1 200 ") && end == .end, "\(text.prefix(40)), then \(end)")
        }
        #expect(try server.incidents("request_timed_out") == 0)
    }
}
