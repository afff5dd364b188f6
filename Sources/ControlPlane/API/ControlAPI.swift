package import Access
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

    package let store: Store
    package let tokens: AccessTokens
    package let publisher: SnapshotPublisher
    /// Nil when there is no channel over TCP, which is what servers enroll for.
    package let enrollments: Enrollments?
    package let events: EventLog
    package let failover: FailoverService
    package let journal: FailoverJournal
    package let alerts: AlertQueue
    package let counters: RequestCounters
    package let logger: Logger

    package init(
        store: Store, tokens: AccessTokens, publisher: SnapshotPublisher, enrollments: Enrollments?, events: EventLog,
        failover: FailoverService, journal: FailoverJournal, alerts: AlertQueue, counters: RequestCounters,
        logger: Logger
    ) {
        self.store = store
        self.tokens = tokens
        self.publisher = publisher
        self.enrollments = enrollments
        self.events = events
        self.failover = failover
        self.journal = journal
        self.alerts = alerts
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
        let candidates = Operation.all.compactMap { operation in operation.match(path).map { (operation, $0) } }
        let chosen = candidates.first { $0.0.method == method }
        if chosen?.0.isOpen != true {
            author = try owner(by: request.headers).text
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
            self, APIRequest(request, on: connection, author: author ?? "", variables: variables, query: query))
    }

    /// Who sends the request, by its bearer token.
    func owner(by headers: HTTPFields) throws(Problem) -> TokenName {
        let parts = (headers[.authorization] ?? "").split(separator: " ", maxSplits: 1)
        if parts.count == 2, parts[0].lowercased() == "bearer", let owner = tokens.owner(ofSecret: String(parts[1])) {
            return owner
        }
        throw Problem(
            .unauthorized,
            parts.isEmpty
                ? "The request has no token; expected the header 'Authorization: Bearer TOKEN'."
                : "The token is not known; expected one that GET /api/v1/tokens lists, or the one in the admin token file.",
            headers: [.wwwAuthenticate: "Bearer realm=\"ddirect\""])
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
