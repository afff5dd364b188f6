import Domain
import JSON

extension ClientAccess {
    /// The members `allow` and `deny` of a service.
    enum Fields {
        static let allow = list("allow")
        static let deny = list("deny")

        private static func list(_ name: String) -> TextsField<Prefix> {
            TextsField(
                name, count: 0...mostPrefixes, expected: "prefixes such as 10.0.0.0/8",
                note: "Client addresses. One in deny is refused; when allow has any, so is one in none of them.",
                component: "ClientPrefixes")
        }
    }

    /// Open when there are none; nil with findings.
    static func read(_ service: inout ObjectReader) -> ClientAccess? {
        let findings = service.findings
        let earlier = findings.all.count
        let allow = prefixes(&service, Fields.allow)
        let deny = prefixes(&service, Fields.deny)
        guard findings.all.count == earlier else { return nil }
        do {
            return try ClientAccess(allow: allow, deny: deny)
        } catch {
            findings.add("", error)
            return nil
        }
    }

    private static func prefixes(_ service: inout ObjectReader, _ field: TextsField<Prefix>) -> [Prefix] {
        let read = service.read(field)
        var seen: Set<Prefix> = []
        for (index, prefix) in read.enumerated() {
            guard let prefix, !seen.insert(prefix).inserted else { continue }
            service.findings.add(
                .invalid(
                    "\(service.pointer(to: field.description.name))/\(index)",
                    "'\(prefix)' is named twice; expected each prefix once."))
        }
        return read.compactMap { $0 }
    }
}
