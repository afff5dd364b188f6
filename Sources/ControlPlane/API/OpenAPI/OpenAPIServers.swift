import Fleet

extension OpenAPI {
    static let serverOperations: [DescribedOperation] =
        // A server's representation also says how it is, which no revision counts.
        ResourceOperations(kind: .server, noun: "Server", hasWholeRevision: false).all + [
            command(
                "drain", "drainServer", "Tells a server to take no new connections and let open ones finish",
                .draining),
            command("undrain", "undrainServer", "Tells a server to take connections again", .draining),
            command(
                "accept", "acceptOnServer",
                "Tells a server to take this configuration although it holds one of another store, or a newer one",
                .accepting),
        ]

    /// Something that a connected server is told, and that changes no configuration.
    private static func command(
        _ verb: String, _ id: String, _ summary: String, _ answer: Schema
    ) -> DescribedOperation {
        DescribedOperation(
            .post, "/api/v1/servers/{name}/\(verb)",
            OperationDescription(
                id: id, summary: summary, parameters: [.name], mayConflict: true,
                answers: [.init(202, "The server was told", answer)]))
    }
}

extension Schema {
    fileprivate static let draining = Schema.named("Draining", .object(["server": .slug, "draining": .boolean]))
    fileprivate static let accepting = Schema.named(
        "Accepting",
        .object(["server": .slug, "version": .integer(0...).described("The version that it is sent.")]))
}
