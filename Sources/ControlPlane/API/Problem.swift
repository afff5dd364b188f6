import Fleet
import Hummingbird
import JSON
import Store

/// A refusal as RFC 9457 has it: what is wrong, where, and what would be right.
struct Problem: Error, Equatable {
    enum Kind: String, CaseIterable {
        case invalidField = "invalid-field"
        case invalidJSON = "invalid-json"
        case invalidParameter = "invalid-parameter"
        case notFound = "not-found"
        case conflict
        case stale
        case unauthorized
        case forbidden
        case tooLarge = "too-large"
        case unsupportedMediaType = "unsupported-media-type"
        case methodNotAllowed = "method-not-allowed"
        case idempotencyMismatch = "idempotency-mismatch"
        case unavailable
        case `internal`

        var status: HTTPResponse.Status {
            switch self {
            case .invalidField, .idempotencyMismatch: .unprocessableContent
            case .invalidJSON, .invalidParameter: .badRequest
            case .notFound: .notFound
            case .conflict: .conflict
            case .stale: .preconditionFailed
            case .unauthorized: .unauthorized
            case .forbidden: .forbidden
            case .tooLarge: .contentTooLarge
            case .unsupportedMediaType: .unsupportedMediaType
            case .methodNotAllowed: .methodNotAllowed
            case .unavailable: .serviceUnavailable
            case .internal: .internalServerError
            }
        }

        /// The same for every problem of the kind, as RFC 9457 asks.
        var title: String {
            switch self {
            case .invalidField: "A field is wrong"
            case .invalidJSON: "The body is no JSON"
            case .invalidParameter: "A parameter is wrong"
            case .notFound: "There is no such thing"
            case .conflict: "Another resource stands in the way"
            case .stale: "The resource has changed since"
            case .unauthorized: "A token is needed"
            case .forbidden: "The token does not allow this"
            case .tooLarge: "The body is too large"
            case .unsupportedMediaType: "The body has the wrong type"
            case .methodNotAllowed: "The method does not apply here"
            case .idempotencyMismatch: "The key was used for something else"
            case .unavailable: "Not possible at the moment"
            case .internal: "A fault of ours"
            }
        }
    }

    let kind: Kind
    let detail: String
    var errors: [Violation] = []
    var headers = HTTPFields()

    init(_ kind: Kind, _ detail: String, errors: [Violation] = [], headers: HTTPFields = [:]) {
        self.kind = kind
        self.detail = detail
        self.errors = errors
        self.headers = headers
    }

    init(_ rejection: Rejection) {
        self.init(
            rejection.isConflict ? .conflict : .invalidField,
            rejection.violations.count == 1
                ? rejection.violations[0].detail
                : "\(rejection.violations.count) things are wrong; each is named in 'errors'.",
            errors: rejection.violations)
    }

    init(_ refusal: ChangeRefusal) {
        switch refusal {
        case .notFound(let detail): self.init(.notFound, detail)
        case .noSuch(let kind, let name):
            self.init(
                .notFound,
                "There is no \(kind.rawValue) '\(name.prefix(80))'; "
                    + "GET /api/v1/\(kind.plural) lists those that there are."
            )
        case .stale(let current):
            self.init(
                .stale,
                "The resource is at revision \(current) now; expected an If-Match header that names it. Read it again first."
            )
        case .keyReused(let key):
            self.init(
                .idempotencyMismatch,
                "The Idempotency-Key '\(key)' was used for another request; expected a new key for each new request.")
        }
    }

    init(_ failure: StoreFailure) {
        switch failure {
        case .constraint:
            self.init(
                .conflict,
                "Another change was there first, and nothing was changed; expected this one to be made again.")
        case .busy:
            self.init(
                .unavailable, "The database is busy, and nothing was changed. Try again later.",
                headers: [.retryAfter: "5"])
        case .cannotWrite:
            self.init(
                .unavailable, "The database cannot be written, and nothing was changed. The daemon's log says why.",
                headers: [.retryAfter: "30"])
        case .damaged, .tooNew, .cannotOpen, .other:
            self.init(
                .unavailable, "The database failed, and nothing was changed. The daemon's log says why.",
                headers: [.retryAfter: "30"])
        }
    }

    var response: Response {
        var body: JSONObject = [
            "type": .string("https://ddirect.example/problems/\(kind.rawValue)"),
            "title": .string(kind.title),
            "status": .integer(kind.status.code),
            "detail": .string(detail),
        ]
        if !errors.isEmpty {
            body["errors"] = .array(errors.map { ["pointer": .string($0.pointer), "detail": .string($0.detail)] })
        }
        var response = Response.json(.object(body), status: kind.status, headers: headers)
        response.headers[.contentType] = "application/problem+json"
        return response
    }
}

extension Response {
    static func json(_ value: JSONValue, status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]) -> Response {
        json(text: value.description, status: status, headers: headers)
    }

    static func json(text: String, status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]) -> Response {
        var headers = headers
        headers[.contentType] = "application/json"
        return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }
}
