import Access
import Hummingbird

/// One thing that the API can do: a method on a path, what it takes, and the right that it needs.
///
/// The list of them is the router, the source of 405 answers, and what the OpenAPI document is tested against.
struct Operation: Sendable {
    typealias Handler = @Sendable (APIRequest) async throws -> Response

    let method: HTTPRequest.Method
    /// As OpenAPI writes it: `/api/v1/services/{name}`.
    let path: String
    /// The query parameters that it knows.
    let query: Set<String>
    /// What its caller must be allowed to; nil where it answers anybody, without a token.
    let right: Right?
    let handle: Handler
    private let segments: [Substring]

    init(
        _ method: HTTPRequest.Method, _ path: String, query: Set<String> = [], needs right: Right,
        _ handle: @escaping Handler
    ) {
        self.init(method, path, query: query, right: right, handle)
    }

    /// An operation that answers without a token.
    static func open(_ method: HTTPRequest.Method, _ path: String, _ handle: @escaping Handler) -> Operation {
        Operation(method, path, query: [], right: nil, handle)
    }

    private init(
        _ method: HTTPRequest.Method, _ path: String, query: Set<String>, right: Right?, _ handle: @escaping Handler
    ) {
        self.method = method
        self.path = path
        self.query = query
        self.right = right
        self.handle = handle
        segments = path.split(separator: "/", omittingEmptySubsequences: false)
    }

    var isOpen: Bool { right == nil }

    /// Refuses a caller without the right that this operation needs.
    func admit(_ caller: Caller) throws(Problem) {
        guard let right, !caller.may(right) else { return }
        throw Problem(
            .forbidden,
            "\(caller.name) may not \(method.rawValue) \(path), for want of the right '\(right.rawValue)'; expected a "
                + "token that has it.")
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
}

/// What can be asked of one kind of thing: a struct with what it uses.
protocol Routes: Sendable {
    var operations: [Operation] { get }
}
