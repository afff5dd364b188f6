import Foundation
import JSON

/// One command's conversation with the API, and the printing of it.
struct Conversation {
    let client: APIClient
    let printsJSON: Bool

    /// The largest page that the API gives.
    private static let largestPage = 1000

    /// Prints a list, page by page to its end or to `limit`.
    func list(_ resource: Resource, query: [(name: String, value: String)] = [], limit: Int? = nil) async throws {
        var items: [JSONValue] = []
        var next = JSONValue.null
        repeat {
            var call = Call(.get, resource.plural)
            let wanted = min(Conversation.largestPage, limit.map { $0 - items.count } ?? Conversation.largestPage)
            call.query = query + [("limit", String(wanted))]
            if let cursor = next.text { call.query.append(("cursor", cursor)) }
            let page = try await client.send(call).body
            items += page["items"].items
            // An empty page that promises more would have us ask for ever.
            next = page["items"].items.isEmpty ? .null : page["next"]
        } while next.text != nil && items.count < limit ?? .max
        if printsJSON {
            output((["items": .array(items), "next": next] as JSONValue).pretty)
            return
        }
        guard !items.isEmpty else { return output(resource.emptiness) }
        output(Table(columns: resource.columns).lines(items, within: Terminal.width))
        if next.text != nil { say("(there are more; --limit shows them)") }
    }

    /// Prints one resource.
    func show(_ resource: Resource, _ name: String) async throws {
        let answer = try await client.send(Call(.get, resource.plural, name))
        output(printsJSON ? answer.body.pretty : resource.details(answer.body).lines.joined(separator: "\n"))
    }

    /// Makes a change and prints what it did: in JSON the API's answer, for people the fields before and after.
    func change(_ call: Call, _ options: ChangeOptions, done sentence: String) async throws {
        var call = call
        options.apply(to: &call)
        let before = try await revision(before: call, options)
        let answer = try await client.send(call)
        let applied = Applied(answer.body)
        if printsJSON {
            output(answer.body.isNull ? "{}" : answer.body.pretty)
        } else if options.dryRun {
            output(Conversation.rehearsal(answer.body))
        } else if Conversation.changedNothing(answer.body, before: before) {
            output(["nothing changed: it was so already"] + (applied?.lines ?? []))
        } else {
            output(await report(answer, sentence) + (applied?.lines ?? []))
        }
        if options.wait { try Conversation.confirm(applied) }
    }

    /// Whether the API found that all was so already: a restoration lists what it changed, and a patch leaves the
    /// revision `before` it.
    static func changedNothing(_ body: JSONValue, before: Int?) -> Bool {
        body["changes"] == [] || (before != nil && before == body["revision"].integer)
    }

    /// Throws when a change that was waited for is not in force, or when nobody has said that it is.
    static func confirm(_ applied: Applied?) throws(Failure) {
        guard let applied else {
            // A deletion that was sent a second time, since the answer to the first was lost.
            throw .incomplete(
                "the change is made, but the answer that said which servers have applied it was lost; `ddirect server list` says it"
            )
        }
        if !applied.isInForce { throw .incomplete(applied.shortfall) }
    }

    /// The revision that a patch finds, where a person will read about it: one that changes nothing leaves it as it
    /// was.
    private func revision(before call: Call, _ options: ChangeOptions) async throws -> Int? {
        guard call.method == .patch, !printsJSON, !options.dryRun else { return nil }
        return try await client.send(Call(.get, path: call.path)).body["revision"].integer
    }

    /// What a dry run found.
    static func rehearsal(_ body: JSONValue) -> [String] {
        let changes = body["changes"].items
        return changes.isEmpty
            ? ["dry run: nothing would change"] : ["dry run, nothing is stored:"] + ChangesReport.lines(changes)
    }

    /// The sentence with its version, and the fields before and after as that version has them.
    ///
    /// They are asked for after the change rather than read before it, so that they are this change's and nobody
    /// else's. When they cannot be had, the change is still made.
    private func report(_ answer: APIAnswer, _ sentence: String) async -> [String] {
        guard let version = answer.version else { return [sentence] }
        var changes = answer.body["changes"].items
        if changes.isEmpty {
            changes = (try? await client.send(Call(.get, "versions", String(version))).body["changes"].items) ?? []
        }
        return ["\(sentence) (version \(version))"]
            + ChangesReport.lines(changes.filter { !$0["before"].isNull && !$0["after"].isNull })
    }
}

/// A kind of thing that the API has, and how it is shown to people.
struct Resource {
    /// The last part of the API's path, too.
    let plural: String
    /// What a list says when there is none, and what to do about it.
    let emptiness: String
    let columns: [Table.Column]
    let details: (JSONValue) -> Details
}
