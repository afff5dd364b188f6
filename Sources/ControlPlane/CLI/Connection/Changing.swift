import Foundation
import JSON

extension Call {
    /// A creation, with a key that makes it safe to send again.
    init(creating plural: String, _ members: JSONObject) {
        self.init(.post, plural)
        body = .object(members)
        idempotencyKey = UUID().uuidString.lowercased()
    }

    /// A merge patch (RFC 7396) with the fields that were given.
    init(editing name: String, of plural: String, _ members: JSONObject, _ revision: RevisionOptions) throws {
        guard !members.isEmpty else {
            throw Failure.usage("nothing to change was given; --help lists what can be")
        }
        self.init(.patch, plural, name)
        body = .object(members)
        ifMatch = revision.ifMatch
    }

    /// A merge patch of what there is one of.
    init(editingSettings members: JSONObject, _ revision: RevisionOptions) throws(Failure) {
        guard !members.isEmpty else {
            throw .usage("nothing to change was given; --help lists what can be")
        }
        self.init(.patch, "settings")
        body = .object(members)
        ifMatch = revision.ifMatch
    }

    init(deleting name: String, of plural: String, _ revision: RevisionOptions) {
        self.init(.delete, plural, name)
        ifMatch = revision.ifMatch
    }
}
