import FoundationEssentials
import Hummingbird
import JSON

/// Which part of a list is asked for.
struct Paging {
    let limit: Int
    /// The key of the last element of the page before.
    let key: String?

    static let limits = 1...1000
    static let usualLimit = 100

    /// `list` is part of the cursor, so that a cursor of one list is refused by another.
    init(_ request: APIRequest, list: String) throws(Problem) {
        if let text = request.query["limit"] {
            guard let number = Int(text), Paging.limits.contains(number) else {
                throw Problem(
                    .invalidParameter, "limit is '\(text.prefix(80))'; expected a whole number from 1 to 1000.")
            }
            limit = number
        } else {
            limit = Paging.usualLimit
        }
        guard let cursor = request.query["cursor"] else {
            key = nil
            return
        }
        guard let data = Data(base64Encoded: Paging.padded(cursor)), let text = String(validating: data, as: UTF8.self),
            text.hasPrefix(list + ":")
        else {
            throw Problem(
                .invalidParameter,
                "The cursor is none of this list; expected what 'next' said, or no cursor to begin again.")
        }
        key = String(text.dropFirst(list.count + 1))
    }

    /// The key as a number, for lists that are ordered by one.
    func number() throws(Problem) -> Int64? {
        guard let key else { return nil }
        guard let number = Int64(key), number >= 0 else {
            throw Problem(
                .invalidParameter,
                "The cursor is none of this list; expected what 'next' said, or no cursor to begin again.")
        }
        return number
    }

    static func cursor(_ list: String, _ key: String) -> String {
        Data("\(list):\(key)".utf8).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing(
            "=", with: "")
    }

    private static func padded(_ cursor: String) -> String {
        let text = cursor.replacing("-", with: "+").replacing("_", with: "/")
        return text + String(repeating: "=", count: (4 - text.utf8.count % 4) % 4)
    }

    /// A page as the API shows it.
    static func response(_ list: String, _ items: [JSONValue], next: String?) -> Response {
        .json(["items": .array(items), "next": next.map { .string(cursor(list, $0)) } ?? .null])
    }
}
