import Domain
import Fleet

/// How the five operations of a kind of resource are described.
struct ResourceDescriptions {
    let kind: ResourceKind

    /// As the operations' identifiers have it: `Customer`.
    private var noun: String { kind.rawValue.prefix(1).uppercased() + kind.rawValue.dropFirst() }
    private var name: Parameter { kind == .zone ? .zoneName : .name }
    private var filters: [Parameter] { kind == .service ? [.customerFilter, .serverFilter] : [] }
    /// Whether its representation says nothing but what its revision counts, so that 304 is an answer. A server's also
    /// says how it is.
    private var hasWholeRevision: Bool { kind != .server }

    private var word: String { kind.rawValue }
    private var schema: DocumentSchema { kind.schema }

    var list: OperationDescription {
        OperationDescription(
            id: "list\(noun)s", summary: "Lists \(word)s by name", parameters: Parameter.page + filters,
            answers: [.init(200, "A page", .page("\(noun)Page", of: schema.answer))])
    }

    var create: OperationDescription {
        OperationDescription(
            id: "create\(noun)", summary: "Creates a \(word)", parameters: Parameter.change + [.idempotencyKey],
            body: .json(schema.input), mayConflict: true,
            answers: [
                .init(200, "What a dry run would change", .dryRun),
                .init(
                    201, "The \(word) that was created", headers: [.eTag, .location, .version, .replayed],
                    schema.answer),
            ])
    }

    var show: OperationDescription {
        OperationDescription(
            id: "show\(noun)", summary: "Shows a \(word)",
            parameters: [name] + (hasWholeRevision ? [.ifNoneMatch] : []),
            answers: [.init(200, "The \(word)", headers: [.eTag], schema.answer)]
                + (hasWholeRevision ? [.notModified] : []))
    }

    var update: OperationDescription {
        OperationDescription(
            id: "update\(noun)", summary: "Changes a \(word) by a merge patch (RFC 7396)",
            parameters: [name, .ifMatch] + Parameter.change, body: .mergePatch(schema.patch), mayConflict: true,
            answers: [
                .init(
                    200, "The \(word) as it is now, or what a dry run would change", headers: [.eTag, .version],
                    .anyOf(schema.answer, .dryRun))
            ])
    }

    var delete: OperationDescription {
        OperationDescription(
            id: "delete\(noun)", summary: "Deletes a \(word)", parameters: [name, .ifMatch] + Parameter.change,
            mayConflict: true,
            answers: [
                .init(
                    200, "What a dry run would change, or who has applied the change", headers: [.version],
                    .anyOf(.dryRun, .deletion)),
                .init(204, "Deleted", headers: [.version]),
            ])
    }
}

extension OperationDescription.Answer {
    static let notModified = OperationDescription.Answer(304, "The sender has the newest revision", headers: [.eTag])
}

extension Schema {
    static let change = Schema.named(
        "ResourceChange",
        .object([
            "kind": .words(of: ResourceKind.self),
            "name": .anyOf(.slug, .domainName).described("The settings are named fleet."),
            "before": .anyObject.orNull(),
            "after": .anyObject.orNull(),
        ]))

    static let dryRun = Schema.named(
        "DryRun", .object(["dryRun": .constant(true), "changes": .array(of: change)], isClosed: true))

    static let deletion = Schema.named("Deletion", .object(["applied": .applied], isClosed: true))
}

/// For the settings, which are a collection of one.
extension OperationDescription {
    static let showSettings = OperationDescription(
        id: "showSettings", summary: "Shows what holds for the whole fleet", parameters: [.ifNoneMatch],
        answers: [
            .init(
                200, "The settings; of revision 0 when nobody has set any", headers: [.eTag],
                ResourceKind.settings.schema.answer),
            .notModified,
        ])

    static let updateSettings = OperationDescription(
        id: "updateSettings",
        summary: "Changes what holds for the whole fleet by a merge patch (RFC 7396)",
        parameters: [.ifMatch] + Parameter.change, body: .mergePatch(FleetSettings.patch), mayConflict: true,
        answers: [
            .init(
                200, "The settings as they are now, or what a dry run would change",
                headers: [.eTag, .version], .anyOf(ResourceKind.settings.schema.answer, .dryRun))
        ])
}
