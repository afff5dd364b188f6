import Domain

/// The XML of Route 53 (`2013-04-01`), made and read.
enum Route53Document {
    /// A resource record set: what stands there to the letter, since only that can be deleted.
    struct ResourceSet: Hashable, Sendable {
        let name: String
        let type: String
        /// Nil for an alias, which has none.
        let timeToLive: Int?
        /// As Route 53 spells them.
        let values: [String]
        /// What sets it apart from a plain one: an alias's target, or the identifier of one of several for a name. We
        /// change plain ones only.
        let peculiarity: String?

        /// Nil for a type that steers no traffic.
        var recordSet: RecordSet? {
            guard let type = RecordType(rawValue: type) else { return nil }
            // A peculiarity is a value that nobody expects, so that such a set is a conflict whose words say why.
            return RecordSet(
                type, timeToLive: timeToLive ?? 0, values: values.map(type.canonical) + (peculiarity.map { [$0] } ?? [])
            )
        }
    }

    /// A part of a zone.
    struct Page: Hashable, Sendable {
        let sets: [ResourceSet]
        /// The name where the next part begins; nil at the end of the zone.
        let next: String?
    }

    struct Change: Hashable, Sendable {
        enum Action: String, Sendable {
            case create = "CREATE"
            case delete = "DELETE"
        }

        let action: Action
        let set: ResourceSet
    }

    struct Unreadable: Error, CustomStringConvertible {
        let description: String
    }

    static func page(_ octets: [UInt8]) throws -> Page {
        let root = try XMLElement(parsing: octets)
        guard root.name == "ListResourceRecordSetsResponse", let list = root["ResourceRecordSets"] else {
            throw Unreadable(description: "the answer is '\(root.name.prefix(80))'")
        }
        let isTruncated = root["IsTruncated"]?.text == "true"
        return Page(
            sets: try list.all("ResourceRecordSet").map(resourceSet),
            next: isTruncated ? root["NextRecordName"].map { plainName($0.text) } : nil)
    }

    private static func resourceSet(_ element: XMLElement) throws -> ResourceSet {
        guard let name = element["Name"]?.text, let type = element["Type"]?.text else {
            throw Unreadable(description: "a resource record set has no name or no type")
        }
        let values = element["ResourceRecords"]?.all("ResourceRecord").compactMap { $0["Value"]?.text } ?? []
        let alias = (element["AliasTarget"]?["DNSName"]?.text).map { "ALIAS \($0)" }
        let identifier = (element["SetIdentifier"]?.text).map { "with the set identifier '\($0)'" }
        let check = (element["HealthCheckId"]?.text).map { "with the health check '\($0)'" }
        return ResourceSet(
            name: plainName(name), type: type, timeToLive: (element["TTL"]?.text).flatMap { Int($0) }, values: values,
            peculiarity: alias ?? identifier ?? check)
    }

    /// Without the dot; a wildcard is written `\052` there.
    private static func plainName(_ name: String) -> String {
        let name = name.withoutFinalDot
        return name.hasPrefix("\\052.") ? "*." + name.dropFirst(5) : name
    }

    static func batch(_ changes: [Change]) -> String {
        let items = changes.map { change in
            let records = change.set.values.map {
                "<ResourceRecord><Value>\(XMLElement.escaped($0))</Value></ResourceRecord>"
            }
            return """
                <Change><Action>\(change.action.rawValue)</Action><ResourceRecordSet>\
                <Name>\(XMLElement.escaped(change.set.name)).</Name><Type>\(change.set.type)</Type><TTL>\(change.set.timeToLive ?? 0)</TTL>\
                <ResourceRecords>\(records.joined())</ResourceRecords></ResourceRecordSet></Change>
                """
        }
        return """
            <?xml version="1.0" encoding="UTF-8"?>
            <ChangeResourceRecordSetsRequest xmlns="https://route53.amazonaws.com/doc/2013-04-01/"><ChangeBatch><Changes>\
            \(items.joined())</Changes></ChangeBatch></ChangeResourceRecordSetsRequest>
            """
    }

    /// The code and the words of an error. Of a batch that cannot be made it comes in two forms: as an error, and as a
    /// list of messages.
    static func error(_ octets: [UInt8]) -> (code: String, words: String)? {
        guard let root = try? XMLElement(parsing: octets) else { return nil }
        if let error = root["Error"] ?? root["Errors"]?["Error"] {
            return (error["Code"]?.text ?? "", (error["Message"]?.text ?? "").asOneLine)
        }
        let messages = (root["Messages"]?.all("Message") ?? []).map(\.text).joined(separator: "; ")
        return (root.name, messages.asOneLine)
    }
}

extension RecordSet {
    /// As a new resource record set.
    func resourceSet(of name: DomainName) -> Route53Document.ResourceSet {
        Route53Document.ResourceSet(
            name: name.text, type: type.rawValue, timeToLive: timeToLive,
            values: values.map { type == .cname ? "\($0)." : $0 }, peculiarity: nil)
    }
}
