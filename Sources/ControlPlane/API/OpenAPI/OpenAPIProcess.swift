import Fleet

/// For the audit trail, tokens and the daemon itself.
extension OperationDescription {
    static let listAudit = OperationDescription(
        id: "listAudit", summary: "Lists what was done and what was refused, newest first",
        parameters: Parameter.page, answers: [.init(200, "A page", .page("AuditPage", of: .auditEntry))])

    static let showHealth = OperationDescription(
        id: "showHealth", summary: "Answers while the daemon does",
        answers: [.init(200, "The daemon answers", type: "text/plain", .text)])

    static let showMetrics = OperationDescription(
        id: "showMetrics", summary: "Metrics in the text form of Prometheus",
        answers: [.init(200, "The metrics", type: "text/plain", .text)])

    static let showDocument = document("showDocument")

    static let showDocumentOfVersion1 = document("showDocumentOfVersion1")

    static let listTokens = OperationDescription(
        id: "listTokens", summary: "Lists the tokens by name, without their secrets",
        parameters: Parameter.page, answers: [.init(200, "A page", .page("TokenPage", of: .token))])

    static let createToken = OperationDescription(
        id: "createToken", summary: "Creates a token, whose secret is shown this once",
        body: .json(.tokenInput), mayConflict: true,
        answers: [.init(201, "The token", headers: [.location], .newToken)])

    static let deleteToken = OperationDescription(
        id: "deleteToken", summary: "Deletes a token; it stops working at once", parameters: [.name],
        mayConflict: true, answers: [.init(204, "Deleted")])

    private static func document(_ id: String) -> OperationDescription {
        OperationDescription(id: id, summary: "This document", answers: [.init(200, "This document", .anyObject)])
    }
}

extension Schema {
    fileprivate static let auditEntry = Schema.named(
        "AuditEntry",
        .object([
            "id": .integer, "at": .timestamp, "author": .text, "action": .text.examples("service.update"),
            "target": .text, "version": .integer.orNull(), "outcome": .words(["done", "refused"]), "detail": .text,
        ]))

    fileprivate static let tokenInput = DocumentSchema("Token", fields: [TokenRoutes.name]).input
    fileprivate static let newToken = Schema.named("NewToken", .object(["name": .slug, "token": .text]))
    fileprivate static let token = Schema.named("Token", .object(["name": .slug, "createdAt": .timestamp]))
}
