import Domain
import Wire

/// The lists of open flows that are being made: who wants them, and what the workers have answered so far. Pure; time
/// is passed in, in milliseconds.
///
///     asked ──▶ searching ──every worker has answered──▶ answered
///       │           └──deadline──▶ answered as incomplete, with what there is
///       └──too many at a time──▶ refused
struct FlowSearches {
    /// A command of the control plane, and what is needed to carry it out.
    struct Request: Sendable {
        /// Which session has asked: the number of a command is of that one alone.
        let session: UInt64
        let command: UInt64
        let query: FlowQuery
        /// Who has which slot.
        let tenants: [ServiceSlots.Tenant]
    }

    struct Answer: Sendable, Equatable {
        let session: UInt64
        let list: WireFlowList
    }

    /// What each worker is to look for.
    struct Order: Equatable {
        let number: UInt64
        let service: Int32?
        let client: Prefix?
        let limit: Int
        let deadline: UInt64
    }

    enum Step: Equatable {
        case search(Order)
        case answer(Answer)
    }

    private struct Search {
        let request: Request
        let deadline: UInt64
        var waiting: Set<Int>
        var matching: UInt64 = 0
        /// The oldest first.
        var flows: [(worker: Int, flow: FoundFlow)] = []
    }

    /// A worker takes milliseconds. One that takes longer than this is stuck, and the operator should hear the rest.
    static let patience: UInt64 = 3000
    /// Lists are asked for by people. More at a time would only have workers look for nobody.
    static let most = 4

    private let workers: Int
    private var searches: [UInt64: Search] = [:]
    private var lastNumber: UInt64 = 0

    init(workers: Int) { self.workers = workers }

    /// When `passed` will have something to say.
    var due: UInt64? { searches.values.map(\.deadline).min() }

    mutating func asked(_ request: Request, now: UInt64) -> Step {
        var service: Int32?
        if let name = request.query.service?.text {
            service = request.tenants.first { $0.name == name }?.slot
            // A service that this server does not carry has no flows here.
            guard service != nil else {
                let nothing = FlowList(flows: [], matching: 0, isComplete: true)
                return .answer(
                    Answer(session: request.session, list: WireFlowList(command: request.command, nothing)))
            }
        }
        guard searches.count < FlowSearches.most else {
            let refusal = "\(searches.count) other lists of its flows are being made"
            return .answer(
                Answer(session: request.session, list: WireFlowList(command: request.command, refusal: refusal)))
        }
        lastNumber += 1
        let deadline = now + FlowSearches.patience
        searches[lastNumber] = Search(request: request, deadline: deadline, waiting: Set(0..<workers))
        return .search(
            Order(
                number: lastNumber, service: service, client: request.query.client, limit: request.query.limit,
                deadline: deadline))
    }

    /// A worker has answered. Nil as long as others have not, and for an answer that comes too late.
    mutating func found(_ findings: FlowFindings) -> Answer? {
        guard var search = searches[findings.search], search.waiting.remove(findings.worker) != nil else { return nil }
        search.matching &+= findings.matching
        search.flows += findings.flows.map { (worker: findings.worker, flow: $0) }
        // No more than what can be listed is kept, however many workers there are.
        search.flows.sort { $0.flow.age > $1.flow.age }
        search.flows.removeLast(max(0, search.flows.count - search.request.query.limit))
        searches[findings.search] = search.waiting.isEmpty ? nil : search
        return search.waiting.isEmpty ? FlowSearches.answer(search) : nil
    }

    /// The answers to searches whose time is over.
    mutating func passed(now: UInt64) -> [Answer] {
        let over = searches.filter { $0.value.deadline <= now }.sorted { $0.key < $1.key }
        for (number, _) in over { searches[number] = nil }
        return over.map { FlowSearches.answer($0.value) }
    }

    private static func answer(_ search: Search) -> Answer {
        let slots = Set(search.flows.map(\.flow.service))
        var names: [Int32: ServiceName] = [:]
        for tenant in search.request.tenants where slots.contains(tenant.slot) {
            names[tenant.slot] = ServiceName(checked: tenant.name)
        }
        let flows = search.flows.map { worker, flow -> OpenFlow in
            let owner: OpenFlow.Owner =
                flow.service == ServiceSlot.monitor
                ? .monitor : names[flow.service].map(OpenFlow.Owner.service) ?? .nobody
            return OpenFlow(
                owner: owner, isHTTP: flow.isHTTP, stage: flow.stage, client: flow.client, called: flow.called,
                endpoint: flow.endpoint, target: flow.target, bytesUp: flow.bytesUp, bytesDown: flow.bytesDown,
                age: .milliseconds(Int64(clamping: flow.age)), idle: .milliseconds(Int64(clamping: flow.idle)),
                worker: worker)
        }
        let list = FlowList(flows: flows, matching: search.matching, isComplete: search.waiting.isEmpty)
        return Answer(
            session: search.request.session, list: WireFlowList(command: search.request.command, list))
    }
}
