import Access
import Hummingbird

/// One thing that the API can do: a method on a path, the right that it needs, and what it takes and answers.
///
/// The list of them is the router, the source of 405 answers, and the OpenAPI document.
struct Operation: Sendable {
    typealias Handler = @Sendable (APIRequest) async throws -> Response

    let method: HTTPRequest.Method
    /// As OpenAPI writes it: `/api/v1/services/{name}`.
    let path: String
    /// What its caller must be allowed to; nil where it answers anybody, without a token.
    let right: Right?
    let description: OperationDescription
    let handle: Handler
    /// The query parameters that it knows.
    let query: Set<String>
    private let segments: [Substring]

    init(
        _ method: HTTPRequest.Method, _ path: String, needs right: Right, _ description: OperationDescription,
        _ handle: @escaping Handler
    ) {
        self.init(method, path, right: right, description, handle)
    }

    /// An operation that answers without a token.
    static func open(
        _ method: HTTPRequest.Method, _ path: String, _ description: OperationDescription, _ handle: @escaping Handler
    ) -> Operation {
        Operation(method, path, right: nil, description, handle)
    }

    private init(
        _ method: HTTPRequest.Method, _ path: String, right: Right?, _ description: OperationDescription,
        _ handle: @escaping Handler
    ) {
        self.method = method
        self.path = path
        self.right = right
        self.description = description
        self.handle = handle
        query = Set(description.parameters.filter { $0.place == .query }.map(\.name))
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

}

/// What can be asked of one kind of thing: a struct with what it uses.
protocol Routes: Sendable {
    var operations: [Operation] { get }
}
