import Domain
import Logging
import Syscalls

/// The workers of one process: their listeners, mailboxes and counters, and their threads while `run` lasts.
final class WorkerPool: Sendable {
    let mailboxes: [Mailbox<WorkerMessage>]
    let counters: [WorkerCounters]
    let reports: Mailbox<WorkerReport>
    let incidents: Mailbox<IncidentReport>
    let listeners: [Listener]
    private let settings: RelaySettings

    /// Nothing is accepted before `listen` and `start`.
    init(count: Int, listeners: [Listener], settings: RelaySettings) throws(SystemCallError) {
        self.listeners = listeners
        self.settings = settings
        var mailboxes: [Mailbox<WorkerMessage>] = []
        var counters: [WorkerCounters] = []
        for _ in 0..<count {
            mailboxes.append(try Mailbox())
            counters.append(try WorkerCounters(services: Capacity.services))
        }
        self.mailboxes = mailboxes
        self.counters = counters
        reports = try Mailbox()
        // More than this between two looks at the log would not be read by anyone.
        incidents = try Mailbox(limit: 256)
    }

    var flowsOpen: UInt64 { counters.sum(.flowsOpened) &- counters.sum(.flowsClosed) }

    func post(_ message: WorkerMessage) {
        for mailbox in mailboxes { mailbox.post(message) }
    }

    /// Lets the kernel take connections, and the workers accept them.
    func listen() throws(SystemCallError) {
        for listener in listeners { try listener.socket.listen() }
        post(.accept)
    }

    /// Lets the kernel refuse new connections, but at the sockets that the service manager keeps for who comes after us.
    func stopListening() {
        for listener in listeners where !listener.isPassed { listener.socket.stopListening() }
    }

    /// Starts worker `index`; its thread ends after `.stop`.
    func start(
        _ index: Int, responder: (http: TransportAddress, https: TransportAddress), doubts: Mailbox<NameSlot>
    ) throws(SystemCallError) -> JoinableThread {
        let plan = WorkerPlan(
            index: index, settings: settings, listeners: listeners, responder: responder, counters: counters[index],
            mailbox: mailboxes[index], reports: reports, incidents: incidents, doubts: doubts)
        let memory = try WorkerMemory(flowLimit: settings.flowLimit)
        return try JoinableThread(named: "worker-\(index)") {
            do {
                var worker = Worker(plan, memory: memory, epoll: try Epoll())
                worker.run()
            } catch {
                plan.incidents.post(
                    IncidentReport(
                        incident: .descriptorsExhausted, service: 0, client: "", detail: "worker \(index): \(error)",
                        leftOut: 0))
            }
        }
    }
}
