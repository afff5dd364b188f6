import Daemon
import Domain
public import Logging
import Synchronization
import Syscalls

/// The one place where the parts of the data plane meet: it makes them, starts their threads, and takes them down in reverse.
public struct ProxyDaemon {
    /// The release, as `--version`, the metrics and the control plane show it.
    public static let version = "0.1.0"

    private let settings: ProxySettings
    private let logger: Logger
    private let board: StatusBoard
    private let pool: WorkerPool
    private let responder: Responder
    private let admin: AdminListener
    private let resolver: Resolver
    private let health: HealthChecker
    private let keeper: SnapshotKeeper
    private let subscriberMail: Mailbox<SubscriberMessage>
    /// What an earlier process served with, to begin with.
    private let kept: Snapshot?
    /// Its flows, to go on with.
    private let arrivals: FlowParking.Waiting

    /// Binds every listener, or takes over those that the service manager passes; nothing is answered before `run`.
    public init(_ settings: ProxySettings, logger: Logger) throws {
        self.settings = settings
        self.logger = logger
        board = StatusBoard(server: settings.server)
        kept = KeptSnapshot.find(
            passed: settings.passed, cache: settings.snapshotCache, server: settings.server, logger: logger)
        keeper = try SnapshotKeeper(
            usesStore: settings.isManaged, held: settings.passed.map(\.name), cache: settings.snapshotCache,
            logger: logger)
        let own = KeptSnapshot.names + FlowParking.names
        let sockets = settings.passed.filter { !own.contains($0.name) }
        let listeners =
            sockets.isEmpty
            ? try Listener.bound(http: settings.http, https: settings.https)
            : try Listener.passed(sockets, http: settings.http, https: settings.https)
        var relay = settings.relay
        relay.pipeShare = PipePool.share(of: settings.workers)
        pool = try WorkerPool(count: settings.workers, listeners: listeners, settings: relay)
        let mailboxes = pool.mailboxes
        responder = try Responder(board: board, logger: logger) { address in
            for mailbox in mailboxes { mailbox.post(.proved(address)) }
        }
        let (workers, startTime) = (pool.counters, board.startTime)
        admin = try AdminListener(at: settings.admin, board: board, logger: logger) { status in
            Metrics(status: status, workers: workers, buildVersion: ProxyDaemon.version, startTime: startTime)
                .rendered()
        }
        subscriberMail = try Mailbox()
        health = try HealthChecker(
            workers: pool.mailboxes, flowLimit: settings.relay.flowLimit * settings.workers, logger: logger)
        let dialling = (workers: pool.mailboxes, health: health.mailbox)
        resolver = try Resolver(servers: NameServers(given: settings.resolvers)) { addresses in
            for worker in dialling.workers { worker.post(.addresses(addresses)) }
            dialling.health.post(.addresses(addresses))
        }
        // Last: nothing that can fail comes between taking them and going on with them.
        arrivals = FlowParking.Waiting(FlowParking.take(settings.passed, logger: logger))
    }

    /// Carries traffic until SIGTERM or SIGINT, then drains. Returns when everything has ended.
    public func run() throws {
        let (resolver, responder, admin, logger) = (resolver, responder, admin, logger)
        let responderThread = try Thread(named: "responder") {
            do {
                try responder.run()
            } catch {
                logger.critical("The monitor endpoint does not answer", metadata: ["reason": "\(error)"])
            }
        }
        let adminThread = try Thread(named: "admin") {
            do {
                try admin.run()
            } catch {
                logger.critical("The admin listener does not answer", metadata: ["reason": "\(error)"])
            }
        }
        let resolverThread = try Thread(named: "resolver") {
            do {
                try resolver.run()
            } catch {
                logger.critical("The resolver has ended", metadata: ["reason": "\(error)"])
            }
        }
        var workers: [JoinableThread] = []
        for index in 0..<settings.workers {
            let addresses = (responder.addresses.http, responder.addresses.https)
            workers.append(try pool.start(index, responder: addresses, doubts: resolver.doubts))
        }
        let mailbox = subscriberMail
        let checker = try EndpointChecker(servers: settings.resolvers) { mailbox.post(.checked($0)) }
        let checkerThread = try Thread(named: "checker") {
            do {
                try checker.run()
            } catch {
                logger.error("Endpoints cannot be checked any more", metadata: ["reason": "\(error)"])
            }
        }
        let attempts = Prober.mostAttempts(besideFlows: settings.relay.flowLimit * settings.workers)
        let prober = try Prober(vantage: settings.server, mostAttempts: attempts, logger: logger) {
            mailbox.post(.probed($0))
        }
        let proberThread = try Thread(named: "prober") {
            do {
                try prober.run()
            } catch {
                logger.error("Other servers cannot be probed from here", metadata: ["reason": "\(error)"])
            }
        }
        let health = health
        let healthThread = try Thread(named: "health") {
            do {
                try health.run(doubting: resolver.doubts)
            } catch {
                logger.error("The health of endpoints is not checked", metadata: ["reason": "\(error)"])
            }
        }
        let keeper = keeper
        let keeperThread = try Thread(named: "keeper") { keeper.run() }
        let subscriber = makeSubscriber(checker, prober)
        let subscriberThread = try Thread(named: "subscriber") { subscriber.run() }
        logger.info("Started", metadata: ["server": "\(settings.server)", "admin": "\(admin.address)"])

        let signal = watch(until: nil)
        Notify.stopping()
        board.stage(.draining)
        if settings.parksFlows {
            logger.notice("Stopping; open connections wait for the next process", metadata: ["signal": "\(signal)"])
        } else {
            logger.notice("Stopping; open connections may end until the deadline", metadata: ["signal": "\(signal)"])
            drain()
        }

        mailbox.post(.stop)
        subscriberThread.join()
        keeper.mailbox.post(.stop)
        keeperThread.join()
        checker.mailbox.post(.stop)
        checkerThread.join()
        prober.mailbox.post(.stop)
        proberThread.join()
        health.mailbox.post(.stop)
        healthThread.join()
        // The last thing before the end, so that flows stand still for as short as can be.
        if settings.parksFlows { park() }
        pool.post(.stop)
        for worker in workers { worker.join() }
        resolver.mailbox.post(.stop)
        resolverThread.join()
        responder.stop()
        responderThread.join()
        admin.stop()
        adminThread.join()
        reportIncidents()
        logger.notice("Stopped", metadata: ["cut": "\(pool.flowsOpen)"])
    }

    private func makeSubscriber(_ checker: EndpointChecker, _ prober: Prober) -> SnapshotSubscriber {
        let isListening = Mutex(false)
        let (board, pool, logger, arrivals) = (board, pool, logger, arrivals)
        let around = SnapshotSubscriber.Surroundings(
            workers: pool.mailboxes, reports: pool.reports, counters: pool.counters, resolver: resolver.mailbox,
            checker: checker.mailbox, prober: prober.mailbox, health: health.mailbox, keeper: keeper.mailbox,
            monitor: (responder.addresses.http.port, responder.addresses.https.port),
            applied: { snapshot, tenants, moved in
                board.applied(Status.Applied(snapshot))
                board.setServices(tenants.map { ($0.slot, $0.name) }, moved: moved)
                // Only now is there anything to answer: until the first snapshot devices are better off with a refusal, and try elsewhere.
                isListening.withLock { isListening in
                    guard !isListening else { return }
                    isListening = true
                    let slots = Dictionary(tenants.map { ($0.name, $0.slot) }) { first, _ in first }
                    pool.adopt(arrivals.takeAll(), slots: slots)
                    do {
                        try pool.listen()
                    } catch {
                        logger.critical("Cannot listen", metadata: ["reason": "\(error)"])
                        return
                    }
                    board.stage(.serving)
                    let addresses = pool.listeners.map { "\($0.isHTTP ? "http" : "https")=\($0.address)" }
                    logger.notice("Carrying traffic", metadata: ["listeners": "\(addresses.joined(separator: " "))"])
                    Notify.ready(status: board.current.line)
                }
            },
            refused: { version, reasons in board.refused(version, reasons: reasons) },
            connected: { isConnected, address in
                board.connected(isConnected)
                // It probes from where it serves, most often; from elsewhere it proves itself.
                guard let address else { return }
                board.foundControlPlane(at: address)
                pool.post(.proved(address))
            },
            draining: { isDraining in board.stage(isDraining ? .draining : .serving) },
            isDraining: { board.current.stage == .draining })
        return SnapshotSubscriber(
            channel: SnapshotSubscriber.Channel(
                addresses: settings.control, credentials: settings.credentials, resolvers: settings.resolvers),
            server: settings.server, softwareVersion: ProxyDaemon.version, kept: kept,
            mailbox: subscriberMail, logger: logger, around: around)
    }

    /// Looks after the process: incidents to the log, the watchdog, statistics, its status. Returns the signal that ends it, or 0 at
    /// `deadline`, or when the last flow has ended once there is a deadline.
    @discardableResult
    private func watch(until deadline: UInt64?) -> Int32 {
        var pulse = WorkerPulse(patience: .seconds(5))
        var line = ""
        while true {
            let signal = Process.awaitSignal(milliseconds: 200)
            if let signal, signal == Process.terminate || signal == Process.interrupt { return signal }
            if signal == Process.hangUp { reload() }
            if board.current.line != line {
                line = board.current.line
                Notify.status(line)
            }
            let now = Clock.monotonicNanoseconds
            reportIncidents()
            board.setNames(resolver.statistics)
            board.setHealth(health.statistics)
            pulse.observed(pool.counters.map { $0.read(.rounds) }, at: .nanoseconds(now))
            let stuck = pulse.stuck(at: .nanoseconds(now))
            board.setStuck(stuck)
            // A stuck worker starves the watchdog, so that the service manager restarts what can no longer carry traffic.
            if stuck.isEmpty { Notify.watchdog() }
            if let deadline, now >= deadline || pool.flowsOpen == 0 { return 0 }
        }
    }

    /// What SIGHUP asks for: reads the system's name servers anew, and the files of this server's identity. Everything else comes from the
    /// control plane as it changes.
    private func reload() {
        let isReady = board.current.unreadiness == nil
        if isReady { Notify.reloading() }
        logger.notice("Reading name servers and credentials anew")
        resolver.mailbox.post(.reload)
        subscriberMail.post(.reload)
        if isReady { Notify.ready(status: board.current.line) }
    }

    private func park() {
        let (flows, isComplete) = pool.park()
        let names = Dictionary(board.current.services.map { ($0.slot, $0.name) }) { first, _ in first }
        let departures = flows.map { departing in
            var departing = departing
            departing.flow.service = names[departing.slot] ?? ""
            return departing
        }
        // Those that came and were never gone on with, since no snapshot has come, go on their way.
        FlowParking.park(departures + arrivals.takeAll(), logger: logger)
        guard isComplete else {
            // To wait for a stuck worker would keep the next process, and all these flows, waiting.
            logger.critical("A worker is stuck, and its flows are lost")
            Process.exit(1)
        }
    }

    private func drain() {
        pool.post(.shutDown)
        // Closing a listener resets what still waits in its queue, and the workers accept that first. A worker that is stuck accepts nothing.
        let patience = Clock.monotonicNanoseconds &+ 1_000_000_000
        while pool.counters.sum(.listenersLeft) < pool.counters.count, Clock.monotonicNanoseconds < patience {
            _ = Process.awaitSignal(milliseconds: 2)
        }
        pool.stopListening()
        let limit = UInt64(settings.drainTimeout.milliseconds) * 1_000_000
        watch(until: Clock.monotonicNanoseconds &+ limit)
    }

    private func reportIncidents() {
        guard !pool.incidents.isEmpty else { return }
        let names = Dictionary(board.current.services.map { ($0.slot, $0.name) }) { first, _ in first }
        for report in pool.incidents.drain() {
            var metadata: Logger.Metadata = ["incident": "\(report.incident.label)"]
            if let name = names[report.service] { metadata["service"] = "\(name)" }
            if !report.client.isEmpty { metadata["client"] = "\(report.client)" }
            if !report.detail.isEmpty { metadata["detail"] = "\(report.detail)" }
            if report.leftOut > 0 { metadata["leftOut"] = "\(report.leftOut)" }
            logger.log(
                level: report.incident.isRoutine ? .debug : .warning, "\(report.incident.sentence)", metadata: metadata)
        }
    }
}
