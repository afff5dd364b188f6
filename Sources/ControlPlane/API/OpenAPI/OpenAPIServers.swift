import Fleet

/// For servers, beside what every resource has.
extension OperationDescription {
    static let drainServer = command(
        "drainServer", "Tells a server to take no new connections and let open ones finish",
        .draining)

    static let undrainServer = command(
        "undrainServer", "Tells a server to take connections again", .draining)

    static let acceptOnServer = command(
        "acceptOnServer",
        "Tells a server to take this configuration although it holds one of another store, or a newer one",
        .accepting)

    /// Something that a connected server is told, and that changes no configuration.
    private static func command(_ id: String, _ summary: String, _ answer: Schema) -> OperationDescription {
        OperationDescription(
            id: id, summary: summary, parameters: [.name], mayConflict: true,
            answers: [.init(202, "The server was told", answer)])
    }
}

extension Schema {
    fileprivate static let draining = Schema.named("Draining", .object(["server": .slug, "draining": .boolean]))
    fileprivate static let accepting = Schema.named(
        "Accepting",
        .object(["server": .slug, "version": .integer(0...).described("The version that it is sent.")]))
}
