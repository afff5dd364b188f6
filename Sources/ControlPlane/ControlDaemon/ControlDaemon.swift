import API
import Access
import Changes
import Channel
import DNS
package import Daemon
import Domain
import Failover
import Fleet
package import Logging
import NIOCore
import Notices
import Outgoing
import Probing
import ServiceLifecycle
import Store
import UnixSignals

/// The control plane: the one place where its parts meet.
package struct ControlDaemon: Sendable {
    private let store: Store
    private let publisher: SnapshotPublisher
    private let secure: SecureChannel?
    private let events: EventLog
    private let http: OutgoingHTTP
    private let prober: ControlVantage
    private let alerts: AlertSender
    private let failover: FailoverService
    private let api: ControlAPI
    private let listen: TransportAddress
    private let mostConnections: Int
    private let logger: Logger

    /// How many changes the publisher can send as differences to servers that were away; older ones get everything.
    static let recentChanges = 1000
    /// Open API connections: people, scripts and a scraper. More wait in the backlog.
    static let mostConnections = 256
    /// Sessions of data planes at a time, whose descriptors are theirs: whatever the API is asked, servers get through.
    static let mostSessions = 2000
    /// Beside both: the database, its readers, the log.
    static let otherDescriptors = 64

    /// Opens the database and reads the state; binds nothing yet.
    ///
    /// `descriptors` is how many this process may have.
    package init(_ settings: ControlSettings, descriptors: Int, logger: Logger) async throws {
        // A fifth is for probes: they must be possible however many servers and people are connected.
        let forProbes = max(16, min(ControlVantage.mostAttempts, descriptors / 5))
        let forPeers = max(16, descriptors - ControlDaemon.otherDescriptors - forProbes)
        mostConnections = min(ControlDaemon.mostConnections, forPeers / 2)
        let mostSessions = min(ControlDaemon.mostSessions, forPeers - mostConnections)
        // Readers of events keep their connections; others must get through.
        events = EventLog(mostSubscriptions: min(EventLog.mostSubscriptions, mostConnections / 4))
        let revocations = Revocations()
        do {
            store = try await Store.open(
                at: settings.database, schema: Schema.migrations, participants: [revocations, PlacementRules()],
                exceptions: settings.exceptions, ports: settings.ports)
        } catch {
            throw StartFailure(cause: error, description: "\(settings.database): \(error)")
        }
        let probeKeys = try await ProbeKeys.stored(in: store)
        let tokens = try await AccessTokens(
            TokenRows(store: store), adminTokenFile: AdminTokenFile(path: settings.adminTokenFile))
        secure = try await ControlDaemon.secureChannel(
            settings, CertificateRows(store: store, revocations: revocations))
        publisher = SnapshotPublisher(
            state: store.state, recent: await ControlDaemon.recent(store, logger), exceptions: settings.exceptions,
            probeKeys: probeKeys,
            channel: ChannelSettings(unixPath: settings.channelPath, secure: secure, mostSessions: mostSessions),
            events: events, logger: logger)
        // Each call has a deadline of its own besides.
        http = OutgoingHTTP(connectTimeout: .seconds(3), readTimeout: .seconds(10))
        prober = ControlVantage(logger: logger, mostAttempts: forProbes)
        let credentials = Credentials(folder: settings.credentials)
        let (store, alerts) = (
            store,
            AlertSender(
                AlertQueue(store: store), webhooks: { [store] in store.state.settings.webhooks },
                key: { try credentials.text($0) },
                logger: logger)
        )
        self.alerts = alerts
        failover = try await ControlDaemon.failover(
            ProviderFactory(credentials: credentials, commands: settings.commands, http: http), store, publisher,
            prober, probeKeys, events, alerts, logger)
        api = ControlAPI(
            store: store, tokens: tokens,
            changes: Changes(store: store, publisher: publisher, logger: logger), publisher: publisher,
            enrollments: secure?.enrollments, events: events,
            failover: failover, journal: FailoverJournal(store: store), alerts: AlertQueue(store: store),
            counters: RequestCounters(), logger: logger)
        listen = settings.listen
        self.logger = logger
        logger.info(
            "The database is open",
            metadata: [
                "path": "\(settings.database)", "version": "\(store.version)",
                "incarnation": "\(store.state.incarnation)",
            ])
        store.state.warn(ofEndpointsAgainst: settings.exceptions, settings.ports, logger)
    }

    /// Serves until SIGTERM or SIGINT.
    package func run() async throws {
        // A part may use those before it; shutdown runs the other way, so that the API falls silent first.
        let services: [any ServiceLifecycle.Service] = [
            publisher, ChangeFeed(store: store, publisher: publisher, events: events),
            alerts, prober, failover,
            APIServer(api: api, listen: listen, mostConnections: mostConnections, onListening: ready, logger: logger),
            CredentialsReload(secure: secure, status: status, logger: logger), StoppingNotice(logger: logger),
        ]
        var configuration = ServiceGroupConfiguration(
            services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        // Requests that wait for servers may take a minute; a service manager's patience is ninety seconds.
        configuration.maximumGracefulShutdownDuration = .seconds(70)
        let outcome = await Result { try await ServiceGroup(configuration: configuration).run() }
        let quiet = await Result { try await http.shutDown() }
        let closing = await Result { try await store.close() }
        // Why it ended comes before what that led to.
        try outcome.get()
        try quiet.get()
        try closing.get()
        logger.info("Stopped")
    }

    /// Tells the service manager that both doors are open.
    private func ready() async {
        // Where servers cannot connect, this start is about to fail.
        guard await publisher.awaitListening() else { return }
        Notify.ready(status: status())
    }

    /// The line for `systemctl status`.
    private func status() -> String { "API on \(listen), version \(store.version)" }

    private static func failover(
        _ providers: ProviderFactory, _ store: Store, _ publisher: SnapshotPublisher, _ prober: ControlVantage,
        _ probeKeys: ProbeKeys, _ events: EventLog, _ alerts: AlertSender, _ logger: Logger
    ) async throws -> FailoverService {
        let authorities = AuthorityCheck()
        return try await FailoverService(
            FailoverService.Surroundings(
                store: store, journal: FailoverJournal(store: store), orderRows: StandingOrderRows(store: store),
                publisher: publisher, prober: prober, probeKeys: probeKeys,
                provider: { providers.provider(for: $0) }, authorities: { try await authorities.servers(of: $0) },
                ask: { await authorities.ask($0, name: $1, $2) },
                tell: { kind, server, detail in
                    events.append(kind, server: server, detail: detail)
                    await alerts.raise(kind, server: server, detail: detail)
                },
                announce: { kind, server, detail in
                    events.append(kind, server: server, detail: detail)
                    alerts.wake()
                }),
            logger: logger)
    }

    /// The channel over TCP, if there is to be one.
    private static func secureChannel(
        _ settings: ControlSettings, _ certificates: CertificateRows
    ) async throws -> SecureChannel? {
        guard !settings.secureChannel.isEmpty else { return nil }
        let authority = try AuthorityKeeper(path: settings.authority, isCredential: settings.authorityIsCredential)
        return SecureChannel(
            authority: authority, addresses: settings.secureChannel,
            tls: try ChannelTLS(authority),
            enrollments: try await Enrollments(
                certificates, authority: authority, lifetime: settings.certificateLifetime))
    }

    /// What the publisher starts with. Without it servers that were away get everything: slower, and never wrong.
    private static func recent(_ store: Store, _ logger: Logger) async -> [Change] {
        do {
            return try await store.recentChanges(limit: recentChanges)
        } catch {
            logger.warning(
                "The newest changes cannot be read; servers will be sent everything", metadata: ["cause": "\(error)"])
            return []
        }
    }
}

/// Why the daemon could not start, with what it was about.
struct StartFailure: Error, CustomStringConvertible {
    let cause: any Error
    let description: String
}

/// What SIGHUP asks for: reads the authority of the channel anew. Everything else is configured through the API.
private struct CredentialsReload: ServiceLifecycle.Service {
    let secure: SecureChannel?
    let status: @Sendable () -> String
    let logger: Logger

    func run() async {
        for await _ in await UnixSignalsSequence(trapping: .sighup).cancelOnGracefulShutdown() {
            Notify.reloading()
            read()
            Notify.ready(status: status())
        }
    }

    private func read() {
        guard let secure else { return logger.notice("There are no credentials to read anew: no channel over TCP") }
        do {
            let isOther = try secure.authority.reload()
            secure.tls.reload()
            logger.notice(
                "The channel authority was read anew",
                metadata: [
                    "fingerprint": "\(secure.authority.authority.fingerprint)", "changed": "\(isOther ? "yes" : "no")",
                ])
        } catch {
            logger.error(
                "The channel authority cannot be read; the one before stays in use", metadata: ["reason": "\(error)"])
        }
    }
}

/// Tells the service manager that a shutdown has begun. The last of the services, so the first to hear of it.
private struct StoppingNotice: ServiceLifecycle.Service {
    let logger: Logger

    func run() async throws {
        try await gracefulShutdown()
        logger.info("Stopping")
        Notify.stopping()
    }
}

extension ExitCode {
    /// The exit code by which the service manager tells failures apart.
    package init(_ error: any Error) {
        switch (error as? StartFailure)?.cause ?? error {
        case StoreFailure.tooNew, StoreFailure.damaged: self = .configuration
        case StoreFailure.cannotOpen: self = .cannotCreate
        case is StoreFailure: self = .unavailable
        case is AdminTokenFile.Failure, is ChannelAuthority.Failure, is ChannelListener.CannotListen:
            self = .cannotCreate
        case is IOError, is APIServer.CannotListen: self = .unavailable
        default: self = .internal
        }
    }
}

extension Result where Failure == any Error {
    /// What a piece of work came to, for when something has to be done in either case.
    fileprivate init(_ work: () async throws -> Success) async {
        do {
            self = .success(try await work())
        } catch {
            self = .failure(error)
        }
    }
}
