import Changes
import Domain
import Foundation
import Hummingbird
import HummingbirdTesting
import Logging
import Synchronization

@testable import API
@testable import Access
@testable import Channel
@testable import ControlDaemon
@testable import DNS
@testable import Failover
@testable import JSON
@testable import Notices
@testable import Probing
@testable import Store

/// The real API over a real store in a folder of its own, without a listener.
struct Bench: Sendable {
    let client: any TestClientProtocol
    let store: Store
    let publisher: SnapshotPublisher
    let enrollments: Enrollments
    let events: EventLog
    let api: ControlAPI
    /// The path of the socket on which the publisher listens.
    let channel: String
    let token: String

    var operations: [API.Operation] { api.operations }

    /// Runs `body` against a fresh control plane. Endpoints may be in 127.0.0.0/8, as in a laboratory.
    ///
    /// `overTCP` says whether the API knows of a channel over TCP; none listens.
    static func run(
        exceptions: [String] = ["127.0.0.0/8"], ports: EndpointPorts = EndpointPorts(), clock: TestClock = TestClock(),
        overTCP: Bool = true,
        events: EventLog = EventLog(epoch: 0xABCD_EF12),
        _ body: @escaping @Sendable (Bench) async throws -> Void
    ) async throws {
        try await withFolder { folder in
            let exceptions = try exceptions.map { try Prefix($0) }
            let revocations = Revocations()
            let store = try await Store.open(
                at: folder + "/control.db", exceptions: exceptions, ports: ports, revocations: revocations,
                now: { clock.now })
            let tokens = try await AccessTokens(
                TokenRows(store: store), adminTokenFile: AdminTokenFile(path: folder + "/admin.token"))
            let token = try String(contentsOfFile: folder + "/admin.token", encoding: .utf8)
            var logger = Logger(label: "test")
            logger.logLevel = .critical
            let channel = folder + "/channel.sock"
            let publisher = SnapshotPublisher(
                state: store.state, recent: [], exceptions: exceptions,
                probeKeys: try await ProbeKeys.stored(in: store), channel: ChannelSettings(unixPath: channel),
                events: events, logger: logger, limits: .patient)
            let enrollments = try await Enrollments(
                CertificateRows(store: store, revocations: revocations),
                authority: AuthorityKeeper(try ChannelAuthority.make(now: clock.now)),
                lifetime: .seconds(86_400),
                now: { clock.now })
            // Not run: nothing is probed, and nothing is decided but what is asked for.
            let failover = try await FailoverService(
                FailoverService.Surroundings(
                    store: store, journal: FailoverJournal(store: store), orderRows: StandingOrderRows(store: store),
                    publisher: publisher, prober: ControlVantage(logger: logger),
                    probeKeys: try await ProbeKeys.stored(in: store),
                    provider: { _ in MemoryZone() }, authorities: { _ in [] }, ask: { _, _, _ in .records([]) },
                    tell: { kind, server, detail in events.append(kind, server: server, detail: detail) },
                    announce: { kind, server, detail in events.append(kind, server: server, detail: detail) }),
                logger: logger)
            let api = ControlAPI(
                store: store, tokens: tokens, changes: Changes(store: store, publisher: publisher, logger: logger),
                publisher: publisher, enrollments: overTCP ? enrollments : nil,
                events: events, failover: failover, journal: FailoverJournal(store: store),
                alerts: AlertQueue(store: store), counters: RequestCounters(), logger: logger)
            let application = Application(
                responder: api, services: [publisher, ChangeFeed(store: store, publisher: publisher, events: events)],
                logger: logger)
            try await application.test(.router) { client in
                try await body(
                    Bench(
                        client: client, store: store, publisher: publisher, enrollments: enrollments, events: events,
                        api: api, channel: channel, token: token.filter { !$0.isWhitespace }))
            }
            try await store.close()
        }
    }

    struct Answer: Sendable {
        let status: Int
        let headers: HTTPFields
        let text: String

        /// The body as JSON, or null.
        var json: JSONValue { (try? JSONValue.parse(text.utf8)) ?? .null }

        subscript(key: String) -> JSONValue? { json.object?[key] }

        /// The places that a problem names.
        var pointers: [String] {
            guard case .array(let errors)? = self["errors"] else { return [] }
            return errors.compactMap { if case .string(let pointer)? = $0.object?["pointer"] { pointer } else { nil } }
        }

        /// The last part of a problem's type.
        var problem: String? {
            guard case .string(let type)? = self["type"] else { return nil }
            return type.split(separator: "/").last.map { String($0) }
        }

        var version: String? { headers[.ddirectVersion] }
    }

    func send(
        _ method: HTTPRequest.Method, _ path: String, _ body: String? = nil, _ headers: HTTPFields = [:]
    ) async throws -> Answer {
        var fields: HTTPFields = [.authorization: "Bearer \(token)"]
        if body != nil { fields[.contentType] = method == .patch ? "application/merge-patch+json" : "application/json" }
        for header in headers { fields[header.name] = header.value }
        return try await client.execute(
            uri: path, method: method, headers: fields, body: body.map { ByteBuffer(string: $0) }
        ) { response in
            Answer(status: response.status.code, headers: response.headers, text: String(buffer: response.body))
        }
    }

    func get(_ path: String, _ headers: HTTPFields = [:]) async throws -> Answer {
        try await send(.get, "/api/v1" + path, nil, headers)
    }

    func post(_ path: String, _ body: String? = nil, _ headers: HTTPFields = [:]) async throws -> Answer {
        try await send(.post, "/api/v1" + path, body, headers)
    }

    func patch(_ path: String, _ body: String, _ headers: HTTPFields = [:]) async throws -> Answer {
        try await send(.patch, "/api/v1" + path, body, headers)
    }

    func delete(_ path: String, _ headers: HTTPFields = [:]) async throws -> Answer {
        try await send(.delete, "/api/v1" + path, nil, headers)
    }

    /// Customer acme, servers za1 and ie1, and service acme-app on both: versions 1 to 4.
    func furnish() async throws {
        _ = try await post("/customers", #"{"name":"acme"}"#)
        _ = try await post("/servers", Bench.server("za1", "127.0.0.11"))
        _ = try await post("/servers", Bench.server("ie1", "127.0.0.12"))
        _ = try await post("/services", Bench.service("acme-app", domains: ["app.acme.test"], standbys: ["ie1"]))
        precondition(store.version == SnapshotVersion(4), "the bench could not be furnished")
    }

    static func server(_ name: String, _ address: String) -> String {
        #"{"name":"\#(name)","region":"af-south-1","hostname":"\#(name).dfree.test","addresses":["\#(address)"]}"#
    }

    static func service(
        _ name: String, domains: [String], host: String = "origin.acme.test", customer: String = "acme",
        primary: String = "za1",
        standbys: [String] = []
    ) -> String {
        let quoted = { (texts: [String]) in texts.map { "\"\($0)\"" }.joined(separator: ",") }
        return """
            {"name":"\(name)","customer":"\(customer)","clientDomains":[\(quoted(domains))],"endpoint":{"host":"\(host)"},
             "primary":"\(primary)","standbys":[\(quoted(standbys))]}
            """
    }
}

/// A clock that stands still until a test moves it.
final class TestClock: Sendable {
    private let date = Mutex(Date(timeIntervalSince1970: 1_800_000_000))

    var now: Date { date.withLock { $0 } }
    func advance(by seconds: Double) { date.withLock { $0 = $0.addingTimeInterval(seconds) } }
}

/// Gives `body` a new folder, and removes it afterwards.
func withFolder(_ body: (String) async throws -> Void) async throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "dd-\(UInt32.random(in: 0...UInt32.max))")
        .path()
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    do {
        try await body(folder)
    } catch {
        try FileManager.default.removeItem(atPath: folder)
        throw error
    }
    try FileManager.default.removeItem(atPath: folder)
}
