package import Domain
package import JSON

extension FleetSettings {
    /// There is one of them, and this is its name: in the store, in versions and in the audit trail.
    package static let name = "fleet"

    package static let schema = DocumentSchema(
        "Settings",
        told: Representation.told(
            revision: .integer(0...).described("0 when nobody has set any."), timestamp: .timestamp.orNull()),
        fields: [Fields.monitoring, Fields.failover, Fields.webhooks])

    /// Nobody creates settings, so what is sent is always a patch.
    package static let patch = Schema.named(
        "SettingsInput",
        schema.patchObject.described(
            "A merge patch over all settings: null for what holds when nobody says anything."))

    private enum Fields {
        static let monitoring = ObjectField(
            "monitoring", Monitoring.schema, standard: Monitoring.standard.document, expected: "an object")
        static let failover = ObjectField(
            "failover", DocumentSchema(nil, fields: [automatic, failback, holdDown]),
            standard: FleetSettings().failoverDocument, expected: "an object")
        static let webhooks = ObjectsField(
            "webhooks",
            DocumentSchema(
                nil, note: "Where alerts are sent, and the key that signs them.", isAnsweredAsSent: true,
                fields: [url, credential]),
            most: mostWebhooks, expected: "objects with a url and a credential")

        static let automatic = FlagField(
            "automatic", standard: FleetSettings().failsOver,
            note: "Whether a server's failure moves its services without being told to.")
        static let failback = ChoiceField("failback", standard: Failback.manual)
        static let holdDown = IntegerField(
            "holdDownSeconds", "seconds", in: holdDowns, standard: standardHoldDown,
            note: "For how long a server has to have been well before its services go back to it.")

        static let url = TextField(
            "url", .httpAddress, expected: "a URL such as https://alerts.example/ddirect"
        ) { text throws(InvalidValue) in try HTTPAddress.checked(text) }
        static let credential = TextField<CredentialName>("credential", expected: CredentialName.expected)
    }

    /// What holds, in full: the body of the API and the text that the store keeps.
    package var document: JSONValue {
        [
            "monitoring": monitoring.document,
            "failover": failoverDocument,
            "webhooks": .array(
                webhooks.map { ["url": .string($0.url), "credential": .string($0.credential.text)] }),
        ]
    }

    private var failoverDocument: JSONValue {
        [
            "automatic": .bool(failsOver),
            "failback": .string((failsBack ? Failback.automatic : .manual).rawValue),
            "holdDownSeconds": .integer(holdDown),
        ]
    }

    private enum Failback: String, CaseIterable {
        case manual
        case automatic
    }

    /// Reads a document, or answers nil with findings. What is left out is as it is when nobody says anything.
    package static func read(_ value: JSONValue, _ findings: Findings) -> FleetSettings? {
        let earlier = findings.all.count
        guard var reader = ObjectReader(value, at: "", findings) else { return nil }
        var settings = FleetSettings()
        if let value = reader.read(Fields.monitoring) {
            settings.monitoring = Monitoring.read(value, at: "/monitoring", findings) ?? .standard
        }
        if let value = reader.read(Fields.failover) { settings.readFailover(value, findings) }
        settings.readWebhooks(reader.read(Fields.webhooks), findings)
        reader.finish(readOnly: schema.readOnly)
        return findings.all.count == earlier ? settings : nil
    }

    private mutating func readFailover(_ value: JSONValue, _ findings: Findings) {
        guard var reader = ObjectReader(value, at: "/failover", findings) else { return }
        failsOver = reader.read(Fields.automatic)
        failsBack = reader.read(Fields.failback) == .automatic
        if let holdDown = reader.read(Fields.holdDown) { self.holdDown = holdDown }
        reader.finish()
    }

    private mutating func readWebhooks(_ elements: [JSONValue], _ findings: Findings) {
        for (index, element) in elements.enumerated() {
            let pointer = "/webhooks/\(index)"
            guard var reader = ObjectReader(element, at: pointer, findings) else { continue }
            let url = reader.read(Fields.url)
            let credential = reader.read(Fields.credential)
            reader.finish()
            if let url, webhooks.contains(where: { $0.url == url }) {
                findings.add(.invalid(pointer + "/url", "'\(url)' is named twice; expected each URL once."))
            }
            guard let url, let credential else { continue }
            do {
                webhooks.append(try Webhook(url: url, credential: credential))
            } catch {
                findings.add(pointer + "/url", error)
            }
        }
    }
}

extension CredentialName {
    /// What a document should have: secrets are named, never told.
    static let expected = "the name of a credential, such as acme-tsig"
}
