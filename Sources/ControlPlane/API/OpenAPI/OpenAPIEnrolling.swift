import Fleet

/// For the certificates of servers.
extension OperationDescription {
    static let enrollServer = OperationDescription(
        id: "enrollServer",
        summary: "Makes a token with which the server gets its certificate, once; an unused one stops working",
        parameters: [.name], body: .json(.enrollmentInput, isRequired: false), mayConflict: true,
        answers: [.init(201, "The token, this once", .enrollment)])

    static let revokeServer = OperationDescription(
        id: "revokeServer",
        summary: "Revokes the server's certificates and its unused token, and ends its session",
        parameters: [.name], mayConflict: true,
        answers: [.init(200, "The certificates are revoked", .revocation)])
}

extension Schema {
    fileprivate static let enrollmentInput = Schema.named(
        "EnrollmentInput",
        .object(
            [:],
            optional: [
                "validForSeconds": .integer(EnrollmentRoutes.validities).standard(
                    .integer(EnrollmentRoutes.usualValidity))
            ], isClosed: true))

    fileprivate static let enrollment = Schema.named(
        "Enrollment",
        .object([
            "server": .slug,
            "token": .text(pattern: "^dde_[0-9a-f]{64}$"),
            "expiresAt": .timestamp,
            "authorityFingerprint": .text(pattern: "^sha256:[0-9a-f]{64}$").described(
                "What the server knows the control plane by."),
        ]))

    fileprivate static let revocation = Schema.named(
        "Revocation",
        .object([
            "server": .slug, "certificatesRevoked": .integer(0...).described("How many were in force."),
        ]))
}
