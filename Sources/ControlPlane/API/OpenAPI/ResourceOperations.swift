import Domain
import Fleet

/// The five operations that every kind of resource has, and how they differ.
struct ResourceOperations {
    let kind: ResourceKind
    /// As the operations' identifiers have it: `Customer`.
    let noun: String
    var name = Parameter.name
    var filters: [Parameter] = []
    /// Whether its representation says nothing but what its revision counts, so that 304 is an answer.
    var hasWholeRevision = true

    var all: [DescribedOperation] {
        let collection = "/api/v1/\(kind.plural)"
        return [
            DescribedOperation(.get, collection, list),
            DescribedOperation(.post, collection, create),
            DescribedOperation(.get, collection + "/{name}", show),
            DescribedOperation(.patch, collection + "/{name}", update),
            DescribedOperation(.delete, collection + "/{name}", delete),
        ]
    }

    private var word: String { kind.rawValue }
    private var schema: DocumentSchema { kind.schema }

    private var list: OperationDescription {
        OperationDescription(
            id: "list\(noun)s", summary: "Lists \(word)s by name", parameters: Parameter.page + filters,
            answers: [.init(200, "A page", .page("\(noun)Page", of: schema.answer))])
    }

    private var create: OperationDescription {
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

    private var show: OperationDescription {
        OperationDescription(
            id: "show\(noun)", summary: "Shows a \(word)",
            parameters: [name] + (hasWholeRevision ? [.ifNoneMatch] : []),
            answers: [.init(200, "The \(word)", headers: [.eTag], schema.answer)]
                + (hasWholeRevision ? [.notModified] : []))
    }

    private var update: OperationDescription {
        OperationDescription(
            id: "update\(noun)", summary: "Changes a \(word) by a merge patch (RFC 7396)",
            parameters: [name, .ifMatch] + Parameter.change, body: .mergePatch(schema.patch), mayConflict: true,
            answers: [
                .init(
                    200, "The \(word) as it is now, or what a dry run would change", headers: [.eTag, .version],
                    .anyOf(schema.answer, .dryRun))
            ])
    }

    private var delete: OperationDescription {
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

extension OpenAPI {
    static let customerOperations = ResourceOperations(kind: .customer, noun: "Customer").all

    static let zoneOperations = ResourceOperations(kind: .zone, noun: "Zone", name: .zoneName).all

    static let settingsOperations: [DescribedOperation] = [
        DescribedOperation(
            .get, "/api/v1/settings",
            OperationDescription(
                id: "showSettings", summary: "Shows what holds for the whole fleet", parameters: [.ifNoneMatch],
                answers: [
                    .init(
                        200, "The settings; of revision 0 when nobody has set any", headers: [.eTag],
                        ResourceKind.settings.schema.answer),
                    .notModified,
                ])),
        DescribedOperation(
            .patch, "/api/v1/settings",
            OperationDescription(
                id: "updateSettings",
                summary: "Changes what holds for the whole fleet by a merge patch (RFC 7396)",
                parameters: [.ifMatch] + Parameter.change, body: .mergePatch(FleetSettings.patch), mayConflict: true,
                answers: [
                    .init(
                        200, "The settings as they are now, or what a dry run would change",
                        headers: [.eTag, .version], .anyOf(ResourceKind.settings.schema.answer, .dryRun))
                ])),
    ]
}
