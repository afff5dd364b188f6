package import Access
package import Changes
package import Channel
package import Failover
import Fleet
package import Hummingbird
package import Logging
import NIOCore
package import Notices
package import Store

/// The REST API: from a request to an operation, and from any error to a problem that names the fault and the remedy.
package struct ControlAPI: HTTPResponder {
    package typealias Context = APIContext

    let operations: [Operation]
    private let authentication: BearerAuthentication
    private let counters: RequestCounters
    private let logger: Logger

    /// `enrollments` is nil when there is no channel over TCP, which is what servers enroll for.
    package init(
        store: Store, tokens: AccessTokens, changes: Changes, publisher: SnapshotPublisher, enrollments: Enrollments?,
        events: EventLog, failover: FailoverService, journal: FailoverJournal, alerts: AlertQueue,
        counters: RequestCounters, logger: Logger
    ) {
        let authentication = BearerAuthentication(tokens: tokens)
        let document = OpenAPIDocument()
        let resources = Resources(
            store: store, changes: changes, shown: Representations(store: store, publisher: publisher))
        let routes: [any Routes] = [
            ResourceRoutes(kind: .customer, change: .changeCustomers, resources: resources),
            ServerRoutes(resources: resources, store: store, changes: changes, publisher: publisher, events: events),
            FlowRoutes(store: store, publisher: publisher),
            EnrollmentRoutes(
                store: store, changes: changes, publisher: publisher, enrollments: enrollments, events: events),
            FailoverRoutes(store: store, changes: changes, failover: failover, journal: journal),
            ServiceRoutes(
                resources: resources, checks: EndpointChecks(store: store, publisher: publisher), store: store),
            ResourceRoutes(kind: .zone, change: .changeZones, resources: resources),
            SettingsRoutes(resources: resources),
            VersionRoutes(store: store, changes: changes),
            AuditRoutes(store: store),
            EventRoutes(events: events, authentication: authentication, logger: logger),
            TokenRoutes(tokens: tokens, changes: changes),
            ProcessRoutes(
                store: store, publisher: publisher, failover: failover, alerts: alerts, counters: counters,
                document: document),
        ]
        operations = routes.flatMap(\.operations)
        document.describe(operations)
        self.authentication = authentication
        self.counters = counters
        self.logger = logger
    }

    /// Answers a request. Throws only when there is nobody left to answer.
    package func respond(to request: Request, context: APIContext) async throws -> Response {
        let began = ContinuousClock.now
        var author: String?
        var response: Response
        do {
            response = try await answer(request, on: context.connection, &author)
        } catch let failure as APIRequest.BodyFailure {
            throw failure.cause
        } catch {
            response = problem(for: error).response
        }
        if request.method == .head { response = response.createHeadResponse() }
        // What is here may change at any moment, and is nobody else's business.
        response.headers[.cacheControl] = "no-store"
        let took = ContinuousClock.now - began
        counters.count(status: response.status.code, took: took)
        logger.info(
            "Request answered",
            metadata: [
                "method": "\(request.method.rawValue)", "path": "\(request.uri.path.prefix(200))",
                "status": "\(response.status.code)",
                "author": "\(author ?? "-")", "milliseconds": "\(took.milliseconds)",
            ])
        return response
    }

    private func answer(
        _ request: Request, on connection: any Channel, _ author: inout String?
    ) async throws -> Response {
        let path = request.uri.path.split(separator: "/", omittingEmptySubsequences: false)
        let method = request.method == .head ? .get : request.method
        let candidates = operations.compactMap { operation in operation.match(path).map { (operation, $0) } }
        let chosen = candidates.first { $0.0.method == method }
        if chosen?.0.isOpen != true {
            let caller = try authentication.caller(by: request.headers)
            author = caller.name
            try chosen?.0.admit(caller)
        }
        guard let (operation, variables) = chosen else {
            guard !candidates.isEmpty else {
                throw Problem(.notFound, "Nothing is at this path; /openapi.json lists the paths that there are.")
            }
            var methods = candidates.map { $0.0.method.rawValue }
            if methods.contains("GET") { methods.append("HEAD") }
            let allowed = methods.sorted().joined(separator: ", ")
            throw Problem(
                .methodNotAllowed, "\(request.method.rawValue.prefix(20)) does not apply here; expected \(allowed).",
                headers: [.allow: allowed])
        }
        let query = try Query.read(request.uri.query, known: operation.query)
        return try await operation.handle(
            APIRequest(request, on: connection, author: author ?? "", variables: variables, query: query))
    }

    func problem(for error: any Error) -> Problem {
        switch error {
        case let problem as Problem: return problem
        case let rejection as Rejection: return Problem(rejection)
        case let refusal as ChangeRefusal: return Problem(refusal)
        case let failure as StoreFailure:
            logger.error("The store failed", metadata: ["cause": "\(failure)"])
            return Problem(failure)
        case is CancellationError:
            return Problem(.unavailable, "The daemon is stopping. Try again later.", headers: [.retryAfter: "5"])
        default:
            logger.error("A request failed in a way that we did not foresee", metadata: ["error": "\(error)"])
            return Problem(.internal, "This is a fault of ours; the daemon's log says more.")
        }
    }
}

extension Duration {
    var milliseconds: Double {
        let (seconds, attoseconds) = components
        return (Double(seconds) * 1000 + Double(attoseconds) / 1e15).rounded(toPlaces: 3)
    }
}

extension Double {
    fileprivate func rounded(toPlaces places: Int) -> Double {
        let scale = (0..<places).reduce(1.0) { scale, _ in scale * 10 }
        return (self * scale).rounded() / scale
    }
}
