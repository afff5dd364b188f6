import Domain
import Logging
import Syscalls

/// The workers of one process: their listeners, mailboxes and counters.
final class WorkerPool: Sendable {
    let mailboxes: [Mailbox<WorkerMessage>]
    let counters: [WorkerCounters]
    let reports: Mailbox<WorkerReport>
    let incidents: Mailbox<IncidentReport>
    /// Of each worker, to the flow log: some hundred milliseconds of the busiest server.
    let records: [RecordRing<FlowRecord>]
    let departures: Mailbox<[MovingFlow]>
    let listeners: [Listener]
    let ledger: ClientLedger
    private let settings: RelaySettings

    /// Nothing is accepted before `listen`, and by no worker that does not run.
    init(count: Int, listeners: [Listener], settings: RelaySettings) throws(SystemCallError) {
        self.listeners = listeners
        self.settings = settings
        var mailboxes: [Mailbox<WorkerMessage>] = []
        var counters: [WorkerCounters] = []
        var records: [RecordRing<FlowRecord>] = []
        for _ in 0..<count {
            mailboxes.append(try Mailbox())
            counters.append(try WorkerCounters(services: Capacity.services))
            records.append(try RecordRing(capacity: 8192))
        }
        self.mailboxes = mailboxes
        self.counters = counters
        self.records = records
        ledger = try ClientLedger(
            flows: settings.flowLimit * count, services: Capacity.services, seed: .random(in: .min ... .max))
        reports = try Mailbox()
        // More than this between two looks at the log would not be read by anyone.
        incidents = try Mailbox(limit: 256)
        departures = try Mailbox()
    }

    var flowsOpen: UInt64 { counters.sum(.flowsOpened) &- counters.sum(.flowsClosed) }

    func post(_ message: WorkerMessage) {
        for mailbox in mailboxes { mailbox.post(message) }
    }

    /// Shares flows of an earlier process among the workers. `slots` are those of the services by name; a flow whose
    /// service is gone goes on all the same, and is counted as nobody's.
    func adopt(_ arrivals: [MovingFlow], slots: [String: Int32]) {
        guard !arrivals.isEmpty else { return }
        let settled = arrivals.map { arrival in
            var arrival = arrival
            arrival.slot = slots[arrival.flow.service] ?? ServiceSlot.unrouted
            return arrival
        }
        for (index, mailbox) in mailboxes.enumerated() {
            mailbox.post(.adopt(stride(from: index, to: settled.count, by: mailboxes.count).map { settled[$0] }))
        }
    }

    /// Has every worker hand over its flows and end. One that does not within two seconds is stuck, and keeps what it
    /// has; then `isComplete` is false.
    func park() -> (flows: [MovingFlow], isComplete: Bool) {
        post(.park)
        var flows: [MovingFlow] = []
        var waiting = mailboxes.count
        let deadline = Clock.monotonicNanoseconds &+ 2_000_000_000
        while waiting > 0, Clock.monotonicNanoseconds < deadline {
            var set = PollSet()
            set.add(departures.descriptor)
            set.wait(milliseconds: 100)
            for batch in departures.drain() {
                flows += batch
                waiting -= 1
            }
        }
        return (flows, waiting == 0)
    }

    /// Lets the kernel take connections, and the workers accept them.
    func listen() throws(SystemCallError) {
        for listener in listeners { try listener.socket.listen() }
        post(.accept)
    }

    /// Lets the kernel refuse new connections, but at the sockets that the service manager keeps for who comes after
    /// us.
    func stopListening() {
        for listener in listeners where !listener.isPassed { listener.socket.stopListening() }
    }

    /// Makes worker `index`, and answers what its thread is to do, which returns after `.stop` or `.park`.
    func worker(
        _ index: Int, responder: (http: TransportAddress, https: TransportAddress), doubts: Mailbox<NameSlot>
    ) throws(SystemCallError) -> @Sendable () throws -> Void {
        let plan = WorkerPlan(
            index: index, settings: settings, listeners: listeners, responder: responder, counters: counters[index],
            fellows: Fellows(counters), everyone: counters, ledger: ledger,
            mailbox: mailboxes[index], reports: reports, incidents: incidents, records: records[index],
            departures: departures, doubts: doubts)
        let memory = try WorkerMemory(settings, workers: mailboxes.count)
        return {
            let epoll = try Epoll()
            // A worker that hears nothing would be of no use.
            _ = try epoll.add(plan.mailbox.descriptor, .readable, tag: Worker.Tag.mailbox).get("epoll_ctl")
            let pipes = try PipePool(share: plan.settings.pipeShare, holders: Capacity.services)
            var worker = Worker(plan, memory: memory, epoll: epoll, pipes: pipes)
            worker.run()
        }
    }
}
