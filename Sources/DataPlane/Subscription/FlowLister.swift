import Domain
import Synchronization
import Syscalls
import Wire

/// Makes the lists of open flows that operators ask for: asks every worker, and waits for their answers, but not for
/// ever. One thread; what it decides is `FlowSearches`.
final class FlowLister: Sendable {
    /// Commands that wait. They are read at once, and few are carried out at a time.
    let mailbox: Mailbox<FlowSearches.Request>
    let pulse = Pulse()
    private let workers: [Mailbox<WorkerMessage>]
    private let findings: Mailbox<FlowFindings>
    private let answer: @Sendable (FlowSearches.Answer) -> Void
    private let isStopped = Atomic(false)

    /// `answer` is called on the lister's thread.
    init(
        workers: [Mailbox<WorkerMessage>], answer: @escaping @Sendable (FlowSearches.Answer) -> Void
    ) throws(SystemCallError) {
        mailbox = try Mailbox(limit: 16)
        // Room for the late answers of a worker that was stuck, too; what finds none makes a list incomplete.
        findings = try Mailbox(limit: 4 * FlowSearches.most * max(1, workers.count))
        self.workers = workers
        self.answer = answer
    }

    func run() {
        var searches = FlowSearches(workers: workers.count)
        while !isStopped.load(ordering: .relaxed) {
            pulse.beat()
            var set = PollSet()
            set.add(mailbox.descriptor)
            set.add(findings.descriptor)
            let (now, due) = (FlowLister.now, searches.due ?? .max)
            set.wait(milliseconds: Int32(clamping: min(due > now ? due - now : 0, 1000)))
            for request in mailbox.drain() { carryOut(searches.asked(request, now: FlowLister.now)) }
            for finding in findings.drain() {
                if let list = searches.found(finding) { answer(list) }
            }
            for list in searches.passed(now: FlowLister.now) { answer(list) }
        }
    }

    func stop() {
        isStopped.store(true, ordering: .relaxed)
        // No search has this number; it only wakes the thread. A full box has done so already.
        findings.post(FlowFindings(search: 0, worker: 0, matching: 0, flows: []))
    }

    private static var now: UInt64 { Clock.monotonicNanoseconds / 1_000_000 }

    private func carryOut(_ step: FlowSearches.Step) {
        switch step {
        case .answer(let list): answer(list)
        case .search(let order):
            let search = FlowSearch(
                number: order.number, service: order.service, client: order.client, limit: order.limit,
                deadline: order.deadline, answers: findings)
            for worker in workers { worker.post(.list(search)) }
        }
    }
}

extension Mailbox<FlowSearches.Request> {
    /// Has the lister carry out a command. Answers the refusal when it will not.
    func ask(
        _ message: WireListFlows, command: UInt64, session: UInt64, tenants: [ServiceSlots.Tenant]
    ) -> WireFlowList? {
        do {
            let request = FlowSearches.Request(
                session: session, command: command, query: try FlowQuery(message), tenants: tenants)
            return post(request)
                ? nil : WireFlowList(command: command, refusal: "many other lists of its flows are being made")
        } catch {
            return WireFlowList(command: command, refusal: "it cannot look for that: \(error)")
        }
    }
}
