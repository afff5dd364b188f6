import Domain
import Synchronization
import Syscalls
import Testing
import Wire

@testable import DataPlane

@Suite struct `Searches for flows` {
    private let tenants = [
        ServiceSlots.Tenant(slot: 2, name: "one"), ServiceSlots.Tenant(slot: 3, name: "two"),
    ]

    private func request(
        _ command: UInt64 = 9, session: UInt64 = 4, service: String? = nil, client: String? = nil, limit: Int = 100
    ) throws -> FlowSearches.Request {
        FlowSearches.Request(
            session: session, command: command,
            query: try FlowQuery(
                service: service.map { try ServiceName($0) }, client: client.map { try Prefix($0) }, limit: limit),
            tenants: tenants)
    }

    /// The order that a request comes to.
    private func order(
        _ searches: inout FlowSearches, _ request: FlowSearches.Request, now: UInt64 = 1000
    ) throws -> FlowSearches.Order {
        guard case .search(let order) = searches.asked(request, now: now) else {
            throw NotInTime(description: "a search")
        }
        return order
    }

    private func findings(
        _ order: FlowSearches.Order, worker: Int, ages: [UInt64] = [], matching: UInt64? = nil, service: Int32 = 2
    ) -> FlowFindings {
        FlowFindings(
            search: order.number, worker: worker, matching: matching ?? UInt64(ages.count),
            flows: ages.map { FoundFlow(service: service, stage: .relaying, age: $0) })
    }

    @Test func `end when the last worker has answered, with the oldest flows of all of them`() throws {
        var searches = FlowSearches(workers: 3)
        let order = try order(&searches, request(service: "two", client: "192.0.2.0/24", limit: 4))
        #expect(order.service == 3 && order.limit == 4)
        #expect(try order.client == Prefix("192.0.2.0/24"))
        #expect(order.deadline == 1000 + FlowSearches.patience)
        #expect(searches.found(findings(order, worker: 2, ages: [50, 40, 5, 4], matching: 100)) == nil)
        #expect(searches.found(findings(order, worker: 0)) == nil)
        let last = searches.found(findings(order, worker: 1, ages: [45, 1]))
        let answer = try #require(last)
        #expect(answer.session == 4 && answer.list.command == 9)
        let list = try FlowList(answer.list)
        #expect(list.isComplete)
        #expect(list.matching == 102)
        #expect(list.flows.map(\.age) == [50, 45, 40, 5].map { .milliseconds($0) })
        #expect(list.flows.map(\.worker) == [2, 1, 2, 2])
        #expect(searches.due == nil)
    }

    @Test func `tell whose a flow is`() throws {
        var searches = FlowSearches(workers: 1)
        let order = try order(&searches, request())
        #expect(order.service == nil && order.client == nil)
        let slots: [Int32] = [3, ServiceSlot.monitor, ServiceSlot.unrouted, 17]
        let flows = slots.map { FoundFlow(service: $0, stage: .opening) }
        let found = searches.found(FlowFindings(search: order.number, worker: 0, matching: 4, flows: flows))
        let answer = try #require(found)
        // Slot 17 is of a service that no snapshot names any more.
        #expect(
            try FlowList(answer.list).flows.map(\.owner)
                == [.service(ServiceName("two")), .monitor, .nobody, .nobody])
    }

    @Test func `for a service that is not carried here find nothing, and ask nobody`() throws {
        var searches = FlowSearches(workers: 2)
        guard case .answer(let answer) = searches.asked(try request(service: "three"), now: 0) else {
            throw NotInTime(description: "an answer at once")
        }
        #expect(try FlowList(answer.list) == FlowList(flows: [], matching: 0, isComplete: true))
        #expect(searches.due == nil)
    }

    @Test func `end at the deadline without the workers that have not answered, and say so`() throws {
        var searches = FlowSearches(workers: 2)
        let order = try order(&searches, request())
        #expect(searches.found(findings(order, worker: 0, ages: [7])) == nil)
        #expect(searches.due == order.deadline)
        #expect(searches.passed(now: order.deadline - 1).isEmpty)
        let answers = searches.passed(now: order.deadline)
        #expect(answers.count == 1)
        let list = try FlowList(try #require(answers.first).list)
        #expect(!list.isComplete)
        #expect(list.matching == 1 && list.flows.count == 1)
        // What comes now, or twice, or from nowhere, is nobody's.
        #expect(searches.found(findings(order, worker: 1, ages: [8])) == nil)
        #expect(searches.passed(now: .max).isEmpty)
    }

    @Test func `count the first answer of a worker alone`() throws {
        var searches = FlowSearches(workers: 2)
        let order = try order(&searches, request())
        for _ in 0..<3 { #expect(searches.found(findings(order, worker: 0, ages: [7])) == nil) }
        #expect(searches.found(findings(order, worker: 2, ages: [7])) == nil, "there is no such worker")
        let last = searches.found(findings(order, worker: 1))
        let answer = try #require(last)
        #expect(try FlowList(answer.list).matching == 1)
    }

    @Test func `are so many at a time, and the next is refused until one has ended`() throws {
        var searches = FlowSearches(workers: 1)
        var orders: [FlowSearches.Order] = []
        for number in 0..<FlowSearches.most { orders.append(try order(&searches, request(UInt64(number)))) }
        guard case .answer(let refusal) = searches.asked(try request(77), now: 1000) else {
            throw NotInTime(description: "a refusal")
        }
        #expect(refusal.list.command == 77)
        #expect(refusal.list.refusal.contains("other lists"))
        #expect(searches.found(findings(orders[1], worker: 0)) != nil)
        _ = try order(&searches, request(78))
    }
}

@Suite struct `The flow lister` {
    /// What a lister has answered.
    private final class Answers: Sendable {
        private let kept = Mutex<[FlowSearches.Answer]>([])

        func add(_ answer: FlowSearches.Answer) { kept.withLock { $0.append(answer) } }
        var all: [FlowSearches.Answer] { kept.withLock { $0 } }
    }

    /// Runs a lister that asks the workers with these mailboxes.
    private func withLister(
        _ workers: [Mailbox<WorkerMessage>], _ body: (FlowLister, Answers) throws -> Void
    ) throws {
        let answers = Answers()
        let lister = try FlowLister(workers: workers) { answers.add($0) }
        let thread = try JoinableThread(named: "lister") { lister.run() }
        defer {
            lister.stop()
            thread.join()
        }
        try body(lister, answers)
    }

    private func ask(_ lister: FlowLister, _ relay: RelayHarness, limit: Int = 100) throws {
        let tenants = [ServiceSlots.Tenant(slot: relay.slot(of: "one"), name: "one")]
        let query = WireListFlows(try FlowQuery(limit: limit))
        #expect(lister.mailbox.ask(query, command: 5, session: 2, tenants: tenants) == nil)
    }

    @Test func `gathers what the workers have`() throws {
        let (relay, listener) = try RelayHarness.single(workers: 2)
        let flows = try (0..<6).map { _ in
            let client = try TestConnection(port: relay.httpsPort)
            try client.send(clientHello("one.acme.test"))
            return (client, try listener.accept())
        }
        try withLister(relay.pool.mailboxes) { lister, answers in
            try ask(lister, relay)
            try eventually("an answer") { !answers.all.isEmpty }
            let answer = try #require(answers.all.first)
            #expect(answer.session == 2 && answer.list.command == 5)
            let list = try FlowList(answer.list)
            #expect(list.isComplete)
            #expect(list.matching == UInt64(flows.count))
            #expect(try list.flows.allSatisfy { $0.owner == .service(try ServiceName("one")) })
        }
    }

    @Test func `answers without a worker that is stuck, and says that the list is incomplete`() throws {
        let (relay, listener) = try RelayHarness.single()
        let client = try TestConnection(port: relay.httpsPort)
        try client.send(clientHello("one.acme.test"))
        let endpoint = try listener.accept()
        // Nobody reads the second one's mail.
        try withLister(relay.pool.mailboxes + [try Mailbox()]) { lister, answers in
            try ask(lister, relay)
            try eventually("an answer") { !answers.all.isEmpty }
            let list = try FlowList(try #require(answers.all.first).list)
            #expect(!list.isComplete)
            #expect(list.matching == 1 && list.flows.count == 1)
        }
        #expect(endpoint.descriptor >= 0)
    }

    @Test func `does not look for what cannot be`() throws {
        try withLister([]) { lister, answers in
            var query = WireListFlows()
            query.limit = 2000
            let refusal = lister.mailbox.ask(query, command: 5, session: 2, tenants: [])
            #expect(refusal?.command == 5)
            #expect(refusal?.refusal.contains("2000") == true)
            #expect(answers.all.isEmpty)
        }
    }
}
