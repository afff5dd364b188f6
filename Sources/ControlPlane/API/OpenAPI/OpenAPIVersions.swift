import Fleet

/// For versions.
extension OperationDescription {
    static let listVersions = OperationDescription(
        id: "listVersions", summary: "Lists versions, newest first", parameters: Parameter.page,
        answers: [.init(200, "A page", .page("VersionPage", of: .version))])

    static let showVersion = OperationDescription(
        id: "showVersion", summary: "Shows a version and what it changed", parameters: [.version],
        answers: [.init(200, "The version", .versionWithChanges)])

    static let compareVersions = OperationDescription(
        id: "compareVersions",
        summary: "Tells the net difference between the states of two versions, in either order",
        parameters: [.version, .other], answers: [.init(200, "The difference", .difference)])

    static let restoreVersion = OperationDescription(
        id: "restoreVersion", summary: "Makes the state of a version the newest one, as a new version",
        parameters: [.version] + Parameter.change, mayConflict: true,
        answers: [
            .init(
                200, "The version that was made, or what a dry run would change", headers: [.version],
                .anyOf(.restoration, .dryRun))
        ])
}

extension Schema {
    fileprivate static let version = Schema.named(
        "Version",
        .object([
            "version": .integer(1...), "at": .timestamp, "author": .text, "summary": .text,
            "restoredFrom": .integer.orNull(),
        ]))

    fileprivate static let versionWithChanges = Schema.named(
        "VersionWithChanges", .allOf(version, .object(["changes": .array(of: change)])))

    fileprivate static let difference = Schema.named(
        "Difference", .object(["from": .integer, "to": .integer, "changes": .array(of: change)]))

    fileprivate static let restoration = Schema.named(
        "Restoration",
        .object(
            ["version": .integer, "restoredFrom": .integer, "changes": .array(of: change)],
            optional: ["applied": .applied]))
}
