package import Domain
package import Fleet
import FoundationEssentials
package import Logging
import NIOCore
import NIOPosix
package import Notices
package import Probing
import ServiceLifecycle
import Wire

/// Keeps every data plane at the newest version: takes each change as it is committed, sends each connected data plane
/// what it lacks, and knows who has applied or refused what.
///
/// What becomes of a session is decided by its `SessionMachine`, what it is sent by the `SnapshotBuilder`; both are
/// pure, and both are only touched here. Reading, writing and encoding happen in tasks of each session's own, so none
/// waits for another.
package actor SnapshotPublisher: ServiceLifecycle.Service {
    /// One session, as the publisher sees it.
    struct OpenSession {
        var machine: SessionMachine
        let channel: any Channel
        let origin: Origin
        let wakeUp: AsyncStream<Void>.Continuation
        var server: ServerName?
        /// The certificate that it has shown over TCP; after a renewal, the new one. Nil over the Unix socket.
        var certificate: PeerCertificate?
        var certificateWork: CertificateWork?
        var heartbeatDue = false
        var snapshotDue = false
        /// Whether it is to be told what to probe; which is looked up when it is.
        var watchDue = false
        var commands: [WireFrame] = []
        var goodbye: WireFrame?
        /// Whether a frame is being made or written.
        var isWriting = false
        /// Until when there is time to say goodbye.
        var closesBy: ContinuousClock.Instant?
    }

    let logger: Logger
    let limits: SessionLimits
    let settings: ChannelSettings
    let events: EventLog
    let clock = ContinuousClock()
    private let started = ContinuousClock.now

    var builder: SnapshotBuilder
    var sessions: [SessionID: OpenSession] = [:]
    /// The one session of each server that is connected.
    var sessionOfServer: [ServerName: SessionID] = [:]
    var knownStatuses: [ServerName: ServerStatus] = [:]
    /// Of servers that have had a session.
    var carrying: [ServerName: CarryingEvidence] = [:]
    /// Told once, when data planes can connect.
    private let listening = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
    /// Those who wait until servers have answered, told at every change of a status.
    private var statusWatchers: [UInt64: AsyncStream<Void>.Continuation] = [:]
    /// Those who wait for the answer to a command; the end of its stream ends the wait without one.
    var pendingCommands: [UInt64: (session: SessionID, answer: AsyncStream<CommandAnswer>.Continuation)] = [:]
    var isStopping = false
    package var refusals = RefusalLog()
    /// What the data planes that are asked to probe are asked to.
    var watchLists: [ServerName: WatchList] = [:]
    let reports = VantageReports()
    private var lastNumber: UInt64 = 0

    /// More commands than this for one server to read, and it does not read them.
    static let mostCommandsWaiting = 100
    /// Connections over TCP that have not said who they are. A server needs its place for a round trip or two.
    static let mostStrangers = 256

    /// `recent` are the changes that led to `state`, as many as there still are; a server that has one of their
    /// versions is sent a difference. `exceptions` are the prefixes that endpoints may use although they are reserved.
    package init(
        state: FleetState, recent: [Change], exceptions: [Prefix], probeKeys: ProbeKeys,
        channel settings: ChannelSettings, events: EventLog, logger: Logger
    ) {
        self.init(
            state: state, recent: recent, exceptions: exceptions, probeKeys: probeKeys, channel: settings,
            events: events, logger: logger, limits: SessionLimits())
    }

    init(
        state: FleetState, recent: [Change], exceptions: [Prefix], probeKeys: ProbeKeys? = nil,
        channel settings: ChannelSettings, events: EventLog = EventLog(), logger: Logger, limits: SessionLimits,
        log: ChangeLog = ChangeLog()
    ) {
        builder = SnapshotBuilder(fleet: state, recent: recent, exceptions: exceptions, probeKeys: probeKeys, log: log)
        self.settings = settings
        self.events = events
        self.logger = logger
        self.limits = limits
    }

    // MARK: What the API asks

    /// Takes a change right after its commit; changes come one by one, in the order of their versions.
    package func publish(_ change: Change) async {
        builder.apply(change)
        for edit in change.edits {
            switch edit {
            case .server(let name, _, nil):
                knownStatuses[name] = nil
                carrying[name] = nil
                if let id = sessionOfServer[name] { end(id, reason: "server \(name) has been removed") }
            case .service(let name, _, nil):
                for server in knownStatuses.keys { knownStatuses[server]?.connectFailures[name.text] = nil }
            default: break
            }
        }
        for id in sessions.keys { update(id) { $0.published(builder.version) } }
    }

    package func status(of server: ServerName) async -> ServerStatus { knownStatuses[server] ?? ServerStatus() }

    package func statuses() async -> [ServerName: ServerStatus] {
        builder.fleet.servers.mapValues { knownStatuses[$0.name] ?? ServerStatus() }
    }

    /// Waits until every one of `servers` has applied or refused `version` or a newer one, but no longer than
    /// `timeout`. Answers what each has come to; one that has been away for some seconds is not waited for.
    package func waitUntilApplied(
        _ version: SnapshotVersion, by servers: [ServerName], timeout: Duration
    ) async -> [ServerName: ServerStatus] {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.untilAnswered(version, by: servers) }
            group.addTask { try? await Task.sleep(for: timeout) }
            await group.next()
            group.cancelAll()
        }
        return servers.reduce(into: [:]) { $0[$1] = knownStatuses[$1] ?? ServerStatus() }
    }

    /// Tells a data plane to take no new connections, or to take them again. That it does is seen in its status.
    package func setDraining(_ draining: Bool, on server: ServerName) async throws(CommandFailure) {
        var command = WireCommand()
        command.id = nextNumber()
        if draining { command.drain = WireDrain() } else { command.undrain = WireUndrain() }
        _ = try send(command, to: server)
    }

    /// Tells a data plane to take our configuration although it is of another store than its own, or older, and sends
    /// it.
    package func accept(on server: ServerName) async throws(CommandFailure) {
        var command = WireCommand()
        command.id = nextNumber()
        command.accept = WireAccept()
        let id = try send(command, to: server)
        // Commands go out before snapshots.
        update(id) { $0.accepting(newest: builder.version) }
    }

    // MARK: Running

    /// Listens, serves, and returns at graceful shutdown when every session has been told goodbye.
    package func run() async throws {
        let listeners = try await bind()
        listening.continuation.yield()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.beat() }
            await withTaskGroup(of: Void.self) { accepting in
                for (listener, isLocal) in listeners {
                    accepting.addTask { await self.accept(listener, isLocal: isLocal) }
                }
            }
            group.cancelAll()
        }
        if let path = settings.unixPath { try ChannelListener.removeSocket(at: path) }
    }

    private func bind() async throws -> [(ChannelListener.Listener, isLocal: Bool)] {
        let group = MultiThreadedEventLoopGroup.singleton
        var listeners: [(ChannelListener.Listener, isLocal: Bool)] = []
        if let path = settings.unixPath {
            listeners.append((try await ChannelListener.bind(path, group: group), true))
            logger.info("Listening for data planes", metadata: ["path": "\(path)"])
        }
        guard let secure = settings.secure else { return listeners }
        for address in secure.addresses {
            let listener = try await ChannelListener.bind(address, tls: secure.tls, group: group)
            listeners.append((listener, false))
            logger.info(
                "Listening for data planes",
                metadata: [
                    "address": "\(Origin(listener.channel.localAddress).text)",
                    "authority": "\(secure.enrollments.authority.fingerprint)",
                ])
        }
        return listeners
    }

    /// Waits until data planes can connect; for one caller. False when it is cancelled before.
    package func awaitListening() async -> Bool {
        for await _ in listening.stream { return true }
        return false
    }

    /// Serves connections until shutdown, then ends all sessions.
    private func accept(_ listener: ChannelListener.Listener, isLocal: Bool) async {
        await withDiscardingTaskGroup { group in
            do {
                try await withTaskCancellationOrGracefulShutdownHandler {
                    try await listener.executeThenClose { connections in
                        for try await connection in connections {
                            group.addTask { await self.serve(connection, isLocal: isLocal) }
                        }
                    }
                } onCancelOrGracefulShutdown: {
                    ChannelListener.close(listener, group: MultiThreadedEventLoopGroup.singleton)
                }
            } catch {
                logger.error("Listening for data planes failed", metadata: ["error": "\(error)"])
            }
            stop()
        }
    }

    /// Sends heartbeats and looks for silence, until it is cancelled.
    private func beat() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: limits.heartbeatInterval, clock: clock)
            let now = clock.now
            for (id, session) in sessions {
                if let closesBy = session.closesBy, closesBy <= now { session.channel.close(promise: nil) }
                update(id) { $0.tick(at: now) }
            }
            endExpired(at: Date())
            // Those who wait for a server to come back wait for time to pass, too.
            for watcher in statusWatchers.values { watcher.yield() }
        }
    }

    // MARK: Waiting

    private func untilAnswered(_ version: SnapshotVersion, by servers: [ServerName]) async {
        let (changes, watcher) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let number = nextNumber()
        statusWatchers[number] = watcher
        defer { statusWatchers[number] = nil }
        guard !haveAnswered(version, servers) else { return }
        for await _ in changes where haveAnswered(version, servers) { return }
    }

    private func haveAnswered(_ version: SnapshotVersion, _ servers: [ServerName]) -> Bool {
        servers.allSatisfy { server in
            let status = knownStatuses[server] ?? ServerStatus()
            guard status.connected else {
                // One that has only just gone is most often back in a moment, as are all when we have only just
                // started.
                return clock.now - (status.disconnectedAt ?? started) >= limits.returnPatience
            }
            return status.answeredVersion.map { $0 >= version } ?? false
        }
    }

    func changeStatus(of server: ServerName, _ change: (inout ServerStatus) -> Void) {
        change(&knownStatuses[server, default: ServerStatus()])
        for watcher in statusWatchers.values { watcher.yield() }
    }

    func nextNumber() -> UInt64 {
        lastNumber += 1
        return lastNumber
    }
}
