import Hummingbird

/// One thing that the API can do: a method on a path, and what it takes.
///
/// The list of them is the router, the source of 405 answers, and what the OpenAPI document is tested against.
struct Operation: Sendable {
    let method: HTTPRequest.Method
    /// As OpenAPI writes it: `/api/v1/services/{name}`.
    let path: String
    /// The query parameters that it knows.
    let query: Set<String>
    /// Whether it answers without a token.
    let isOpen: Bool
    let handle: @Sendable (ControlAPI, APIRequest) async throws -> Response
    private let segments: [Substring]

    init(
        _ method: HTTPRequest.Method, _ path: String, query: Set<String> = [], isOpen: Bool = false,
        _ handle: @escaping @Sendable (ControlAPI) -> @Sendable (APIRequest) async throws -> Response
    ) {
        self.method = method
        self.path = path
        self.query = query
        self.isOpen = isOpen
        self.handle = { try await handle($0)($1) }
        segments = path.split(separator: "/", omittingEmptySubsequences: false)
    }

    /// The variable parts of `path`, already split, when it is one of this operation's.
    func match(_ path: [Substring]) -> [String: String]? {
        guard path.count == segments.count else { return nil }
        var variables: [String: String] = [:]
        for (sent, segment) in zip(path, segments) {
            guard segment.hasPrefix("{") else {
                guard sent == segment else { return nil }
                continue
            }
            guard !sent.isEmpty, let text = Query.percentDecoded(sent) else { return nil }
            variables[String(segment.dropFirst().dropLast())] = text
        }
        return variables
    }

    /// The query parameters of every change.
    static let change: Set<String> = ["dry_run", "wait", "timeout"]
    static let page: Set<String> = ["limit", "cursor"]

    static let all: [Operation] =
        ControlAPI.customerOperations + ControlAPI.serverOperations + ControlAPI.flowOperations
        + ControlAPI.enrollmentOperations
        + ControlAPI.failoverOperations + ControlAPI.serviceOperations + ControlAPI.zoneOperations
        + ControlAPI.settingsOperations
        + ControlAPI.versionOperations
        + ControlAPI.auditOperations + ControlAPI.eventOperations + ControlAPI.tokenOperations
        + ControlAPI.processOperations
}
