import Domain
import Hummingbird
import Store

/// What a request says of the revision that its sender has seen (RFC 9110 section 13).
enum Conditions {
    static func tag(_ revision: SnapshotVersion) -> String { "\"\(revision)\"" }

    /// Refuses a change to something that is not what its sender saw.
    static func check(_ request: APIRequest, _ current: SnapshotVersion) throws {
        guard let tags = try tags(request.headers[.ifMatch], name: "If-Match") else { return }
        guard tags.contains("*") || tags.contains(tag(current)) else { throw ChangeRefusal.stale(current: current) }
    }

    /// Whether the sender has what we would send. (Comparison is weak here, so `W/"41"` is 41.)
    static func isKnown(_ request: APIRequest, _ current: SnapshotVersion) throws -> Bool {
        guard let tags = try tags(request.headers[.ifNoneMatch], name: "If-None-Match") else { return false }
        return tags.contains("*") || tags.contains(tag(current)) || tags.contains("W/" + tag(current))
    }

    private static func tags(_ header: String?, name: String) throws(Problem) -> [String]? {
        guard let header else { return nil }
        let tags = header.split(separator: ",", omittingEmptySubsequences: false).map { tag in
            String(tag.drop { $0 == " " || $0 == "\t" }.reversed().drop { $0 == " " || $0 == "\t" }.reversed())
        }
        for tag in tags where tag != "*" {
            let opaque = tag.hasPrefix("W/") ? tag.dropFirst(2) : tag[...]
            guard opaque.count >= 2, opaque.hasPrefix("\""), opaque.hasSuffix("\"") else {
                throw Problem(
                    .invalidParameter,
                    "\(name) has '\(tag.prefix(80))'; expected '*' or entity tags in quotes, such as \"42\".")
            }
        }
        return tags
    }
}
