import Domain
package import JSON

extension ResourceKind {
    /// The members that documents have got since the first release, and what a document without them says.
    private var laterMembers: JSONObject {
        switch self {
        case .service:
            [
                "forwardedFields": .null, "limits": ServiceLimits.standard.document, "allow": [], "deny": [],
                "flowLog": FlowLog.standard.document,
            ]
        case .server: ["limits": ServerLimits.standard.document, "flowLog": FlowLog.standard.document]
        case .customer, .zone, .settings: [:]
        }
    }

    /// A document that an earlier release has stored, with all members that one of this release has: whoever reads a
    /// resource finds each, whether it was changed since or not.
    package func completed(_ document: JSONValue) -> JSONValue {
        guard var object = document.object else { return document }
        let later = laterMembers
        for key in later.keys where object[key] == nil { object[key] = later[key] }
        return .object(object)
    }
}
