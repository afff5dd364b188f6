import Fleet
import JSON

/// The ways in which an operation refuses, each of which is the same for all.
enum Refusal: String, CaseIterable {
    case badRequest = "BadRequest"
    case unauthorized = "Unauthorized"
    case notFound = "NotFound"
    case methodNotAllowed = "MethodNotAllowed"
    case conflict = "Conflict"
    case stale = "Stale"
    case tooLarge = "TooLarge"
    case unsupportedMediaType = "UnsupportedMediaType"
    case invalid = "Invalid"
    case unavailable = "Unavailable"
    case other = "Problem"

    /// The status, or the word for all that are not named.
    var code: String {
        switch self {
        case .badRequest: "400"
        case .unauthorized: "401"
        case .notFound: "404"
        case .methodNotAllowed: "405"
        case .conflict: "409"
        case .stale: "412"
        case .tooLarge: "413"
        case .unsupportedMediaType: "415"
        case .invalid: "422"
        case .unavailable: "503"
        case .other: "default"
        }
    }

    private var note: String {
        switch self {
        case .badRequest: "The body is no JSON, or a parameter is unknown or wrong."
        case .unauthorized: "There is no token, or it is not known."
        case .notFound: "There is no such resource."
        case .methodNotAllowed: "The method does not apply here."
        case .conflict: "Another resource stands in the way."
        case .stale: "The resource has changed since."
        case .tooLarge: "The body is over \(APIRequest.largestBody >> 20) MiB."
        case .unsupportedMediaType: "The body has another type than documented."
        case .invalid: "Fields are wrong; all of them are named."
        case .unavailable: "Not possible at the moment; nothing was changed."
        case .other: "Any other refusal."
        }
    }

    private var header: (name: String, schema: Schema)? {
        switch self {
        case .unauthorized: ("WWW-Authenticate", .text)
        case .methodNotAllowed: ("Allow", .text)
        case .unavailable: ("Retry-After", .integer)
        default: nil
        }
    }

    var reference: JSONValue { ["$ref": .string("#/components/responses/\(rawValue)")] }

    var json: JSONValue {
        var object: JSONObject = ["description": .string(note)]
        if let header { object["headers"] = .object([header.name: ["schema": header.schema.json]]) }
        object["content"] = ["application/problem+json": ["schema": Refusal.schema.json]]
        return .object(object)
    }

    /// RFC 9457.
    static let schema = Schema.named(
        "Problem",
        .object(
            ["type": .text(format: "uri"), "title": .text, "status": .integer, "detail": .text],
            optional: ["errors": .array(of: .object(["pointer": .text, "detail": .text]))]))
}

/// The headers of answers that mean something of ours.
enum AnswerHeader: String, CaseIterable {
    case eTag = "ETag"
    case location = "Location"
    case version = "Ddirect-Version"
    case replayed = "Idempotency-Replayed"

    private var note: String {
        switch self {
        case .eTag: "The revision, in quotes."
        case .location: "Where the resource is."
        case .version: "The version that the change made."
        case .replayed: "'true' when the creation was done before."
        }
    }

    private var schema: Schema { self == .version ? .integer : .text }

    var reference: JSONValue { ["$ref": .string("#/components/headers/\(rawValue)")] }
    var json: JSONValue { ["description": .string(note), "schema": schema.json] }
}
