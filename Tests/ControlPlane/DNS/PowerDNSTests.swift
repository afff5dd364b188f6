import Domain
import Testing

@testable import DNS
@testable import JSON

@Suite struct `The JSON of PowerDNS` {
    let name: DomainName

    init() throws { name = try DomainName("app.acme.test") }

    private func state(_ serial: Int, _ edit: String? = "DEFAULT") -> PowerDNSDocument.State {
        PowerDNSDocument.State(serial: serial, edit: edit, sets: [:])
    }

    @Test func `deletes first, and replaces then, in one`() {
        let change = RecordChange(
            name: name, expected: [.alias("za1.dfree.test")], wanted: [.ipv4("192.0.2.1", ttl: 7)])
        let expected: JSONValue = [
            "rrsets": [
                ["name": "app.acme.test.", "type": "CNAME", "changetype": "DELETE"],
                [
                    "name": "app.acme.test.", "type": "A", "ttl": 7, "changetype": "REPLACE",
                    "records": [["content": "192.0.2.1", "disabled": false]],
                ],
            ]
        ]
        #expect(PowerDNSDocument.patch([change]) == expected)
    }

    @Test func `is read without what is disabled, and without other names`() throws {
        let text = """
            {"serial":2026030901,"soa_edit_api":"DEFAULT","rrsets":[
              {"name":"app.acme.test.","type":"A","ttl":5,"records":[{"content":"192.0.2.1","disabled":false},{"content":"192.0.2.2","disabled":true}]},
              {"name":"app.acme.test.","type":"TXT","ttl":5,"records":[{"content":"\\"x\\"","disabled":false}]},
              {"name":"www.acme.test.","type":"A","ttl":5,"records":[{"content":"192.0.2.3","disabled":false}]}]}
            """
        let state = try PowerDNSDocument.state(Array(text.utf8), of: name)
        #expect(
            state == PowerDNSDocument.State(serial: 2_026_030_901, edit: "DEFAULT", sets: [name: [.ipv4("192.0.2.1")]]))
    }

    @Test(arguments: [
        "", "[]", "{}", "{\"serial\":1,\"rrsets\":[1]}", "{\"serial\":1,\"rrsets\":[{\"name\":\"a.b.\"}]}",
    ])
    func `is not read when it is none`(_ text: String) {
        #expect(throws: (any Error).self) { try PowerDNSDocument.state(Array(text.utf8), of: name) }
    }

    @Test func `of two changes in one moment the serial tells`() {
        #expect(state(2_026_030_901).isFollowed(by: state(2_026_030_902)))
        #expect(state(2_026_030_917).isFollowed(by: state(2_026_031_001)))
        #expect(!state(2_026_030_901).isFollowed(by: state(2_026_030_903)))
        #expect(!state(2_026_030_917).isFollowed(by: state(2_026_031_002)))
        #expect(!state(2_026_030_901).isFollowed(by: state(1)))
        // Times, or none: any later one may be that of our change alone.
        #expect(state(1_700_000_000, "EPOCH").isFollowed(by: state(1_700_000_500, "EPOCH")))
        #expect(state(5, nil).isFollowed(by: state(5, nil)))
    }
}

@Suite struct `PowerDNS` {
    @Test func `never shows a key that cannot be one`() async throws {
        let zone = try await Laboratory.powerDNS.zone()
        let failure = await caught { _ = try await zone.provider(.credential("damaged")).present([zone.named("app")]) }
        #expect(failure?.kind == .unauthorized)
        #expect(failure?.reason.contains("sec") == false)
    }
}
