import Domain
import Foundation
import Glibc
import Syscalls
import Testing

@testable import DataPlane

/// One worker, or several, on free ports, with services that a test names, without a control plane and without DNS.
final class RelayHarness {
    let pool: WorkerPool
    let doubts: Mailbox<NameSlot>
    private var threads: [JoinableThread] = []
    private var registry: TableBuilder
    private var version: UInt64 = 0
    private var table = RoutingTable.empty()
    private var policy = EndpointPolicy()
    private var slots: [String: NameSlot] = [:]
    /// The services of the last table whose endpoints are checked.
    private(set) var checked: [CheckedService] = []

    init(workers: Int = 1, settings: RelaySettings = RelaySettings(), addresses: [String] = ["127.0.0.1"]) throws {
        // As the process does at its start: a splice into a connection that was reset raises SIGPIPE.
        Syscalls.Process.ignoreBrokenPipes()
        var settings = settings
        settings.flowLimit = min(settings.flowLimit, 4096)
        let any = try addresses.map { TransportAddress(try Address($0), port: 0) }
        pool = try WorkerPool(
            count: workers, listeners: Listener.bound(http: any, https: any), settings: settings)
        doubts = try Mailbox(limit: 64)
        registry = TableBuilder(monitor: (1, 1), seed: 7)
        try pool.listen()
        let nowhere = TransportAddress(Address(ipv4: 0x7F00_0001), port: 1)
        for index in 0..<workers {
            let run = try pool.worker(index, responder: (nowhere, nowhere), doubts: doubts)
            threads.append(
                try JoinableThread(named: "worker-\(index)") {
                    do { try run() } catch { Issue.record("worker \(index): \(error)") }
                })
        }
    }

    /// A relay with one service, `one`, whose endpoint is at a listener of the test's.
    static func single(
        _ settings: RelaySettings = RelaySettings(), workers: Int = 1, to listener: TestListener? = nil
    ) throws -> (RelayHarness, TestListener) {
        let relay = try RelayHarness(workers: workers, settings: settings)
        let listener = try listener ?? TestListener()
        let service = try carriage(["one.acme.test"], to: [("127.0.0.1", listener.port)], forwardedFor: .off)
        try relay.route([("one", service)])
        return (relay, listener)
    }

    deinit { stop() }

    func stop() {
        pool.post(.stop)
        for thread in threads { thread.join() }
        threads = []
    }

    var httpPort: UInt16 { pool.listeners.first { $0.isHTTP }?.address.port ?? 0 }
    var httpsPort: UInt16 { pool.listeners.first { !$0.isHTTP }?.address.port ?? 0 }

    /// Routes by these services, and returns once every worker does. Endpoints are addresses, or names in `names`.
    func route(
        _ services: [(name: String, carriage: Carriage)], trusted: [String] = [], defaults: [String: String] = [:],
        names: [String: [String]] = [:], allow: [String] = ["127.0.0.0/8", "::1/128"],
        limits: ServerLimits = .standard, flowLog: FlowLog = .standard
    ) throws {
        version += 1
        policy = EndpointPolicy(exceptions: try allow.map { try Prefix($0) })
        let server = try Server(
            name: ServerName("za1"), region: RegionName("af-south-1"), hostname: DomainName("za1.dfree.test"),
            addresses: [Address("127.0.0.1")], trustedSenders: try trusted.map { try Prefix($0) },
            defaultServices: Dictionary(
                uniqueKeysWithValues: try defaults.map { (try Address($0.key), try ServiceName($0.value)) }),
            limits: limits, flowLog: flowLog)
        let snapshot = try Snapshot(
            incarnation: Incarnation(1), version: SnapshotVersion(version),
            settings: ServerSettings(server: server, policy: policy),
            services: Dictionary(uniqueKeysWithValues: try services.map { (try ServiceName($0.name), $0.carriage) }))
        let outcome = try registry.build(snapshot) { _ in false }
        for (slot, host) in outcome.added.map({ ($0.slot, $0.host) }) {
            if case .name(let name) = host { slots[name.text] = slot }
            var addresses: [Address]?
            switch host {
            case .address(let address): addresses = [address]
            case .name(let name): addresses = try names[name.text]?.map { try Address($0) }
            }
            guard let addresses else { continue }
            let judged = addresses.map { JudgedAddress($0, policy: policy) }
            let known = EndpointAddresses(
                tenant: slot.tenant, status: judged.isEmpty ? .unresolved : .known, addresses: judged)
            pool.post(.addresses([(slot.index, known)]))
        }
        table = outcome.table
        checked = outcome.checked
        try settle()
    }

    /// Has every worker take what it was told before, and returns once each has said that it routes by the present
    /// table.
    private func settle() throws {
        pool.post(.route(table))
        var missing = Set(pool.mailboxes.indices)
        try eventually("the word of every worker") { () -> Bool in
            for report in pool.reports.drain() {
                switch report {
                case .routes(let index, let generation):
                    if generation == table.generation { missing.remove(index) }
                }
            }
            return missing.isEmpty
        }
    }

    /// Tells the workers which target of a service is preferred, as the health checker does; of the present list of
    /// targets unless it is said.
    func prefer(_ target: Int32, of service: String, edition: UInt32? = nil) throws {
        let present = checked.first { $0.name.text == service }?.edition
        let preference = TargetPreference(edition: edition ?? present ?? 0, target: target)
        pool.post(.preferred([(slot(of: service), preference)]))
        try settle()
    }

    /// Has every worker refuse new connections, or take them again, as an operator's drain does; returns once each
    /// does.
    func drain(_ isDraining: Bool) throws {
        pool.post(.drain(isDraining))
        try settle()
    }

    /// Has every worker take no new connection and let the open ones end, as SIGTERM does; returns once each does.
    func shutDown() throws {
        pool.post(.shutDown)
        pool.stopListening()
        try settle()
    }

    /// Tells the workers the addresses of a name, as the resolver does.
    func learn(_ name: String, _ addresses: [String]) {
        guard let slot = slots[name] else { return }
        let judged = addresses.compactMap { try? Address($0) }.map { JudgedAddress($0, policy: policy) }
        let known = EndpointAddresses(tenant: slot.tenant, status: .known, addresses: judged)
        pool.post(.addresses([(slot.index, known)]))
    }

    func slot(of service: String) -> Int32 {
        (try? ServiceName(service)).flatMap { registry.slot(of: $0) } ?? -1
    }

    func count(_ counter: ServiceCounter, _ service: String) -> UInt64 {
        pool.counters.sum(counter, service: slot(of: service))
    }

    func count(_ incident: Incident, _ service: String) -> UInt64 {
        pool.counters.sum(incident, service: slot(of: service))
    }

    func count(_ incident: Incident) -> UInt64 { pool.counters.sum(incident) }

    /// Flows that are open, by worker.
    var flowsByWorker: [UInt64] { pool.counters.map { $0.read(.flowsOpened) &- $0.read(.flowsClosed) } }

    /// Gives every worker a few milliseconds of other work, so that what comes meanwhile is found in one round of its
    /// events.
    func keepBusy() {
        for index in pool.mailboxes.indices { keepBusy(index) }
    }

    /// The same for one of them, and for so many times as long.
    func keepBusy(_ index: Int, times: Int = 1) {
        let nobody = Int32(Capacity.names - 1)
        let update = (index: nobody, addresses: EndpointAddresses(tenant: 0, status: .unknown))
        let updates = [(index: Int32, addresses: EndpointAddresses)](repeating: update, count: 50_000)
        for _ in 0..<times { pool.mailboxes[index].post(.addresses(updates)) }
    }

    /// Waits until every flow has ended and every buffer has been given back.
    func expectIdle() throws {
        try eventually("the end of every flow") { pool.flowsOpen == 0 }
        try eventually("the return of every buffer") { pool.counters.sum(.bytesBuffered) == 0 }
    }
}

/// What a test waited for did not come true in time.
struct NotInTime: Error, CustomStringConvertible {
    let description: String
}

/// How long a test waits for a fact. Only a fault takes so long, however slow the machine is.
let untilAFault = Duration.seconds(240)

/// Waits until `fact` holds, looking often.
func eventually(_ what: String = "the fact", within limit: Duration = untilAFault, _ fact: () throws -> Bool) throws {
    let end = ContinuousClock.now + limit
    while try !fact() {
        guard ContinuousClock.now < end else {
            throw NotInTime(description: "\(what) did not come true in \(limit)")
        }
        usleep(2000)
    }
}

func carriage(
    _ domains: [String], to hosts: [(host: String, port: UInt16)], accept: Bool = false, send: SendProxyProtocol = .off,
    forwardedFor: ForwardedFor = .append, forwardedFields: ForwardedFields? = nil, check: HealthCheck? = nil,
    limits: ServiceLimits = .standard, access: ClientAccess = .open, flowLog: FlowLog = .standard
) throws -> Carriage {
    let targets = try hosts.map {
        EndpointTarget(
            host: try EndpointHost($0.host), httpPort: try Port(Int($0.port)), httpsPort: try Port(Int($0.port)))
    }
    return try Carriage(
        clientDomains: domains.map { try ClientDomain($0) },
        endpoint: Endpoint(targets[0], fallbacks: Array(targets.dropFirst()), check: check),
        acceptProxyProtocol: accept,
        sendProxyProtocol: send, forwardedFor: forwardedFor, forwardedFields: forwardedFields, limits: limits,
        access: access, flowLog: flowLog)
}
