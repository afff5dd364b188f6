/// The members that every resource's representation has beside its document.
enum Representation {
    static let told = told(revision: .integer(1...), timestamp: .timestamp)

    /// The settings are there before anybody has set any.
    static func told(revision: Schema, timestamp: Schema) -> [Schema.Member] {
        [
            Schema.Member("revision", revision),
            Schema.Member("createdAt", timestamp),
            Schema.Member("updatedAt", timestamp),
            Schema.Member("applied", .applied, isRequired: false),
        ]
    }
}

extension Schema {
    /// Which servers have applied the change that was just made. It is there when the sender has waited for them.
    package static let applied = Schema.named(
        "Applied",
        .object([
            "version": .integer,
            "complete": .boolean.described(
                "Whether every one of these servers has applied it. One that is not connected has not."),
            "servers": .array(
                of: .object([
                    "server": .slug,
                    "state": .words(["applied", "refused", "pending", "disconnected"]),
                    "version": .integer.orNull(),
                    "reasons": .array(of: .text),
                ])),
        ]))
}
