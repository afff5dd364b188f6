import Domain
import JSON

extension DNSBinding {
    /// The member `dns` of a service.
    static let field = ObjectsField(
        "dns", DocumentSchema("DNSBinding", fields: [Fields.zone, Fields.name, Fields.kind, Fields.timeToLive]),
        most: most, expected: "objects with a zone and a name")

    fileprivate enum Fields {
        static let zone = TextField<DomainName>("zone", expected: "the apex of a zone")
        static let name = TextField<DomainName>("name", expected: "a name in that zone")
        static let kind = ChoiceField(
            "kind", standard: Kind.cname,
            note: "A CNAME to the active server's host name, or its addresses as A and AAAA.")
        static let timeToLive = IntegerField("ttl", "seconds", in: timesToLive, standard: standardTimeToLive)
    }

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
        zone = reader.read(DNSBinding.Fields.zone)
        name = reader.read(DNSBinding.Fields.name)
        let kind = reader.read(DNSBinding.Fields.kind)
        let timeToLive = reader.read(DNSBinding.Fields.timeToLive)
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
        bindings = reader.read(DNSBinding.field).enumerated().map { index, element in
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
