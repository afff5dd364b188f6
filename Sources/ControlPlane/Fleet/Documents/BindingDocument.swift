import Domain
import JSON

extension DNSBinding {
    var document: JSONValue {
        [
            "zone": .string(zone.text), "name": .string(name.text), "kind": .string(kind.rawValue),
            "ttl": .integer(timeToLive),
        ]
    }

    /// Short, as devices go on calling a failed server for as long as resolvers keep the answer.
    static let standardTimeToLive = 5
}

/// A service's DNS binding as far as its document could be read.
struct BindingDraft {
    /// Where it stands in the service's document.
    let pointer: String
    var zone: DomainName?
    var name: DomainName?
    /// The binding, when nothing is wrong with the document itself.
    var binding: DNSBinding?

    init(_ binding: DNSBinding, at pointer: String) {
        self.pointer = pointer
        zone = binding.zone
        name = binding.name
        self.binding = binding
    }

    init(reading value: JSONValue, at pointer: String, _ findings: Findings) {
        self.pointer = pointer
        let earlier = findings.all.count
        guard var reader = ObjectReader(value, at: pointer, findings) else { return }
        zone = reader.text("zone", expected: "the apex of a zone") { text throws(InvalidValue) in
            try DomainName(text)
        }
        name = reader.text("name", expected: "a name in that zone") { text throws(InvalidValue) in
            try DomainName(text)
        }
        let kind = reader.choice("kind", default: DNSBinding.Kind.cname)
        let timeToLive = reader.integer(
            "ttl", default: DNSBinding.standardTimeToLive, in: DNSBinding.timesToLive,
            expected: "a whole number of seconds from 1 to 86400")
        reader.finish()
        guard findings.all.count == earlier, let zone, let name, let timeToLive else { return }
        do {
            binding = try DNSBinding(zone: zone, name: name, kind: kind, timeToLive: timeToLive)
        } catch {
            // Of the two things that are left to be wrong, the apex is one of the kind.
            findings.add(reader.pointer(to: name == zone ? "kind" : "name"), error)
        }
    }
}

extension ServiceDraft {
    mutating func readBindings(_ reader: inout ObjectReader) {
        let expected = "objects with a zone and a name"
        guard let value = reader.value("dns", required: false, expected: expected),
            let elements = reader.array(value, at: "/dns", count: 0...DNSBinding.most, expected: expected)
        else { return }
        bindings = elements.enumerated().map { index, element in
            BindingDraft(reading: element, at: "/dns/\(index)", reader.findings)
        }
    }

    /// A name steers traffic once, and never to where it came from.
    func findBindingFaults(_ findings: Findings) {
        var names = Set<DomainName>()
        for binding in bindings {
            guard let name = binding.name else { continue }
            if !names.insert(name).inserted {
                findings.add(.invalid("\(binding.pointer)/name", "'\(name)' is bound twice; expected each name once."))
            }
            if endpoint.hosts.contains(where: { $0.host == .name(name) }) {
                findings.add(
                    .invalid(
                        "\(binding.pointer)/name",
                        "'\(name)' is also this service's endpoint, so traffic would go round in a loop; "
                            + "expected a name that is no endpoint."))
            }
        }
    }
}
