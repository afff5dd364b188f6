import Daemon
import Domain
public import Logging
import Synchronization
import Syscalls

/// The one place where the parts of the data plane meet: it makes them, starts their threads, and takes them down in
/// reverse.
public struct ProxyDaemon {
    /// The release, as `--version`, the metrics and the control plane show it.
    public static let version = "0.1.0"

    private let settings: ProxySettings
    private let log: LogWriter
    private let logger: Logger
    private let board: StatusBoard
    private let pool: WorkerPool
    private let responder: Responder
    private let admin: AdminListener
    private let resolver: Resolver
    private let health: HealthChecker
    private let keeper: SnapshotKeeper
    private let flowLogger: FlowLogger
    private let subscriberMail: Mailbox<SubscriberMessage>
    /// What an earlier process served with, to begin with.
    private let kept: Snapshot?
    /// Its flows, to go on with.
    private let arrivals: FlowParking.Waiting

    /// Binds every listener, or takes over those that the service manager passes; nothing is answered before `run`.
    ///
    /// `isJournal` says that what this process writes leads into the journal; `log` is where `logger` leads.
    public init(_ settings: ProxySettings, isJournal: Bool, log: LogWriter, logger: Logger) throws {
        self.settings = settings
        self.log = log
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
        flowLogger = try FlowLogger(
            rings: pool.records, server: settings.server, destination: settings.flowLog, isJournal: isJournal,
            logger: logger)
        let mailboxes = pool.mailboxes
        responder = try Responder(board: board, logger: logger) { address in
            for mailbox in mailboxes { mailbox.post(.proved(address)) }
        }
        let (workers, startTime) = (pool.counters, board.startTime)
        admin = try AdminListener(at: settings.admin, board: board, logger: logger) { status in
            Metrics(
                status: status, workers: workers, queues: .present(of: listeners), buildVersion: ProxyDaemon.version,
                startTime: startTime
            ).rendered()
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
        arrivals = FlowParking.Waiting(FlowParking.unpark(settings.passed, logger: logger))
    }

    /// Carries traffic until SIGTERM or SIGINT, then drains. Returns when everything has ended.
    public func run() throws {
        let threads = ThreadList(logger: logger)
        defer { threads.stop() }
        try startThreads(threads)
        logger.info("Started", metadata: ["server": "\(settings.server)", "admin": "\(admin.address)"])

        let signal = watch(threads, until: nil)
        Notify.stopping()
        board.stage(.draining)
        if settings.parksFlows {
            logger.notice("Stopping; open connections wait for the next process", metadata: ["signal": "\(signal)"])
        } else {
            logger.notice("Stopping; open connections may end until the deadline", metadata: ["signal": "\(signal)"])
            drain(threads)
        }

        threads.stop(after: ProxyDaemon.workerName(settings.workers - 1))
        if settings.parksFlows {
            // The last thing before the end, so that flows stand still for as short as can be. The workers end as they
            // hand them over.
            threads.expectEnds()
            park()
        }
        threads.stop()
        reportIncidents()
        logger.notice("Stopped", metadata: ["cut": "\(pool.flowsOpen)"])
    }

    /// Whoever is told of something is started before those who tell it, and so stopped after them.
    private func startThreads(_ threads: ThreadList) throws {
        let (responder, admin, resolver, pool, health, keeper) = (responder, admin, resolver, pool, health, keeper)
        let flowLogger = flowLogger
        func start(_ plan: DaemonThread) throws(SystemCallError) {
            try threads.start(plan, at: .nanoseconds(Clock.monotonicNanoseconds))
        }
        // The fleet takes a server whose monitor endpoint is silent for dead.
        try start(
            DaemonThread(
                name: "responder", loss: .ofTraffic, consequence: "the monitor endpoint does not answer",
                rounds: { responder.pulse.count }, run: { try responder.run() }, stop: { responder.stop() }))
        // Nobody but the operator misses it. It may render the metrics of the largest fleet for several clients in one
        // round.
        try start(
            DaemonThread(
                name: "admin", loss: .ofService, consequence: "neither metrics nor health can be asked for",
                rounds: { admin.pulse.count }, patience: .seconds(60), run: { try admin.run() },
                stop: { admin.stop() }))
        // Addresses that are known would serve on, until the first endpoint moves. A round may judge those of the
        // largest snapshot anew.
        try start(
            DaemonThread(
                name: "resolver", loss: .ofTraffic, consequence: "names of endpoints are not resolved",
                rounds: { resolver.pulse.count }, patience: .seconds(60), run: { try resolver.run() },
                stop: { resolver.mailbox.post(.stop) }))
        // Workers go on without it, and count what is lost.
        try start(
            DaemonThread(
                name: "flow-log", loss: .ofService, consequence: "flows are not written down",
                rounds: { flowLogger.pulse.count }, run: { flowLogger.run() },
                stop: { flowLogger.mailbox.post(.stop) }))
        let monitor = (responder.addresses.http, responder.addresses.https)
        for index in 0..<settings.workers {
            // A round is some microseconds, and no wait is longer than a quarter of a second.
            try start(
                DaemonThread(
                    name: ProxyDaemon.workerName(index), loss: .ofTraffic, consequence: "its connections stand still",
                    rounds: { pool.counters[index].read(.rounds) }, patience: .seconds(5),
                    run: try pool.worker(index, responder: monitor, doubts: resolver.doubts),
                    stop: { pool.mailboxes[index].post(.stop) }))
        }
        // Connects fall back by themselves where checks do not say which target is well.
        try start(
            DaemonThread(
                name: "health", loss: .ofService, consequence: "endpoints are not checked",
                rounds: { health.pulse.count }, run: { try health.run(doubting: resolver.doubts) },
                stop: { health.mailbox.post(.stop) }))
        let mailbox = subscriberMail
        let attempts = Prober.mostAttempts(besideFlows: settings.relay.flowLimit * settings.workers)
        let prober = try Prober(vantage: settings.server, mostAttempts: attempts, logger: logger) {
            mailbox.post(.probed($0))
        }
        // Each server has other vantages.
        try start(
            DaemonThread(
                name: "prober", loss: .ofService, consequence: "other servers are not probed from here",
                rounds: { prober.pulse.count }, run: { try prober.run() }, stop: { prober.mailbox.post(.stop) }))
        let inspector = try EndpointInspector(servers: settings.resolvers) { mailbox.post(.inspected($0)) }
        // A round lasts as long as the slowest inspection in it: a name to resolve, and its addresses to connect to.
        try start(
            DaemonThread(
                name: "inspector", loss: .ofService, consequence: "endpoints cannot be looked at for an operator",
                rounds: { inspector.pulse.count }, patience: .seconds(120), run: { try inspector.run() },
                stop: { inspector.mailbox.post(.stop) }))
        let lister = try FlowLister(workers: pool.mailboxes) { mailbox.post(.listed($0)) }
        try start(
            DaemonThread(
                name: "lister", loss: .ofService, consequence: "open flows cannot be listed for an operator",
                rounds: { lister.pulse.count }, run: { lister.run() }, stop: { lister.stop() }))
        // A new start would have an older snapshot, so it is the worst that could be done about it.
        try start(
            DaemonThread(
                name: "keeper", loss: .ofService, consequence: "the snapshot in force is not kept for a new start",
                rounds: { keeper.pulse.count }, patience: .seconds(60), run: { keeper.run() },
                stop: { keeper.mailbox.post(.stop) }))
        // Without it this server would serve what it serves now for ever: no cutover, no drain, no new service would
        // reach it. A round may bring the largest snapshot to the workers.
        let subscriber = makeSubscriber(inspector, prober, lister)
        try start(
            DaemonThread(
                name: "subscriber", loss: .ofTraffic, consequence: "this server hears of no change",
                rounds: { subscriber.pulse.count }, patience: .seconds(60), run: { subscriber.run() },
                stop: { mailbox.post(.stop) }))
    }

    private static func workerName(_ index: Int) -> String { "worker-\(index)" }

    private func makeSubscriber(
        _ inspector: EndpointInspector, _ prober: Prober, _ lister: FlowLister
    ) -> SnapshotSubscriber {
        let isListening = Mutex(false)
        let (board, pool, logger, arrivals, flowLogger) = (board, pool, logger, arrivals, flowLogger)
        let surroundings = SnapshotSubscriber.Surroundings(
            workers: pool.mailboxes, reports: pool.reports, counters: pool.counters, resolver: resolver.mailbox,
            inspector: inspector.mailbox, lister: lister.mailbox, prober: prober.mailbox, health: health.mailbox,
            keeper: keeper.mailbox,
            monitor: (responder.addresses.http.port, responder.addresses.https.port),
            routing: { tenants, generation in
                flowLogger.mailbox.post(.tenants(tenants, generation: generation))
            },
            applied: { snapshot, tenants, moved in
                board.applied(Status.Applied(snapshot))
                board.setServices(tenants.map { ($0.slot, $0.name) }, moved: moved)
                // Only now is there anything to answer: until the first snapshot devices are better off with a refusal,
                // and try elsewhere.
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
            mailbox: subscriberMail, logger: logger, surroundings: surroundings)
    }

    /// Looks after the process: incidents to the log, the watchdog, statistics, its status. Returns the signal that
    /// ends it, or 0 at `deadline`, or when the last flow has ended once there is a deadline.
    @discardableResult
    private func watch(_ threads: ThreadList, until deadline: UInt64?) -> Int32 {
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
            board.setFlowLog(
                Status.FlowLog(linesWritten: flowLogger.linesWritten, linesLost: flowLogger.linesLost))
            board.setLogLinesLost(log.linesLost)
            let ailments = threads.ailments(at: .nanoseconds(now))
            tell(ailments, after: board.current.ailments)
            board.setAilments(ailments, at: .nanoseconds(now))
            // The watchdog starves when traffic needs a thread that is lost, so that the service manager starts the
            // process anew.
            if !ailments.contains(where: \.isOfTraffic) { Notify.watchdog() }
            if let deadline, now >= deadline || pool.flowsOpen == 0 { return 0 }
        }
    }

    /// Says which threads have got stuck and which go on again. Of those that have ended their list has told.
    private func tell(_ ailments: [ThreadAilment], after before: [ThreadAilment]) {
        for ailment in ailments where ailment.kind == .stuck && !before.contains(ailment) {
            logger.critical("A thread of this process makes no progress", metadata: ["thread": "\(ailment.thread)"])
        }
        for ailment in before where ailment.kind == .stuck && !ailments.contains(ailment) {
            logger.notice("A thread of this process goes on again", metadata: ["thread": "\(ailment.thread)"])
        }
    }

    /// What SIGHUP asks for: reads the system's name servers anew, and the files of this server's identity. Everything
    /// else comes from the control plane as it changes.
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
            log.finish()
            Process.exit(1)
        }
    }

    private func drain(_ threads: ThreadList) {
        pool.post(.shutDown)
        // Closing a listener resets what still waits in its queue, and the workers accept that first. A worker that is
        // stuck accepts nothing.
        let patience = Clock.monotonicNanoseconds &+ 1_000_000_000
        while pool.counters.sum(.listenersLeft) < pool.counters.count, Clock.monotonicNanoseconds < patience {
            _ = Process.awaitSignal(milliseconds: 2)
        }
        pool.stopListening()
        let limit = UInt64(settings.drainTimeout.milliseconds) * 1_000_000
        watch(threads, until: Clock.monotonicNanoseconds &+ limit)
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
