import Domain
import Testing

@testable import Fleet
@testable import JSON

@Suite struct `A zone's document` {
    private func read(_ text: String) throws -> (zone: Zone?, faults: [String], text: String) {
        let findings = Findings()
        let zone = Zone.read(try JSONValue.parse(text.utf8), findings)
        return (zone, findings.all.map(\.pointer), findings.all.map(\.sentence).joined(separator: " "))
    }

    @Test(arguments: [
        #"{"kind":"rfc2136","server":"127.0.0.1:5353","keyName":"ddirect","algorithm":"hmac-sha256","credential":"acme-tsig"}"#,
        #"{"kind":"powerdns","url":"http://192.0.2.53:8081","serverID":"localhost","credential":"pdns-key"}"#,
        #"{"kind":"route53","hostedZone":"Z0ABC","url":null,"credential":"aws"}"#,
        #"{"kind":"route53","hostedZone":"Z0ABC","url":"http://127.0.0.1:4566","credential":"aws"}"#,
        #"{"kind":"command","command":"change-dns"}"#,
    ])
    func `reads what it writes, for every kind of provider`(provider: String) throws {
        let text = #"{"name":"acme.test","provider":\#(provider),"authorities":["127.0.0.1:5353","[2001:db8::53]:53"]}"#
        let (zone, faults, _) = try read(text)
        #expect(faults == [])
        #expect(try #require(zone).document == JSONValue.parse(text.utf8))
    }

    @Test func `knows what is usual`() throws {
        let zone = try #require(
            try read(
                #"{"name":"Acme.Test.","provider":{"kind":"rfc2136","server":"192.0.2.53","keyName":"Key.Test","credential":"k"}}"#
            ).zone)
        #expect(zone.name.text == "acme.test")
        #expect(zone.authorities == [])
        #expect(
            zone.provider
                == .update(
                    server: try TransportAddress("192.0.2.53:53"), key: try DomainLabelName("key.test"),
                    algorithm: .sha256, credential: try CredentialName("k")))
        let other = try #require(
            try read(#"{"name":"a.test","provider":{"kind":"powerdns","url":"http://p.test","credential":"k"}}"#).zone)
        #expect(
            other.provider
                == .powerDNS(url: "http://p.test", server: "localhost", credential: try CredentialName("k")))
    }

    @Test(arguments: [
        (#""name":"test""#, "/name", "has only one label"),
        (#""name":7"#, "/name", "This is a number; expected the zone's apex"),
        (#""provider":null"#, "/provider", "This is null; expected an object"),
        (#""provider":{}"#, "/provider/kind", "'kind' is missing; expected one of 'rfc2136', 'powerdns'"),
        (#""provider":{"kind":"bind"}"#, "/provider/kind", "'bind' is not known here"),
        (#""provider":{"kind":"command","command":"a","path":"/bin/sh"}"#, "/provider/path", "unknown field"),
        (
            #""provider":{"kind":"command","command":"../../bin/sh"}"#, "/provider/command",
            "has a character that is not allowed"
        ),
        (#""provider":{"kind":"command","command":"a","credential":"k"}"#, "/provider/credential", "unknown field"),
        (
            #""provider":{"kind":"route53","hostedZone":"../Z","credential":"k"}"#, "/provider/hostedZone",
            "has a character that is not allowed"
        ),
        (
            #""provider":{"kind":"powerdns","url":"ftp://p.test","credential":"k"}"#, "/provider/url",
            "is no URL that can be called"
        ),
        (
            #""provider":{"kind":"powerdns","url":"http://p.test","credential":"s3cret=="}"#, "/provider/credential",
            "has a character that is not allowed"
        ),
        (
            #""provider":{"kind":"rfc2136","server":"ns1.test:53","keyName":"k","credential":"k"}"#,
            "/provider/server", "does not begin with an IP address"
        ),
        (
            #""provider":{"kind":"rfc2136","server":"192.0.2.1:0","keyName":"k","credential":"k"}"#,
            "/provider/server", "has the port 0"
        ),
        (#""authorities":"192.0.2.1""#, "/authorities", "This is a string; expected addresses"),
        (#""authorities":["192.0.2.1","192.0.2.1:53"]"#, "/authorities/1", "is named twice"),
        (#""authorities":["x"]"#, "/authorities/0", "has no port"),
        (#""soa":1"#, "/soa", "unknown field"),
        (#""revision":1"#, "/revision", "is told by D-Direct"),
    ])
    func `names what is wrong, and where`(member: String, pointer: String, says: String) throws {
        var document = try #require(
            try JSONValue.parse(#"{"name":"a.test","provider":{"kind":"command","command":"a"}}"#.utf8).object)
        let wrong = try #require(try JSONValue.parse("{\(member)}".utf8).object)
        for key in wrong.keys { document[key] = wrong[key] }
        let (zone, faults, text) = try read(JSONValue.object(document).description)
        #expect(zone == nil)
        #expect(faults == [pointer], "\(text)")
        #expect(text.contains(says), "\(text)")
    }

    @Test func `names everything that is wrong at once`() throws {
        let faults = try read(
            #"{"provider":{"kind":"rfc2136","server":5,"algorithm":"hmac-md5","credential":"A"},"authorities":[1]}"#
        ).faults
        #expect(
            Set(faults) == [
                "/name", "/provider/server", "/provider/keyName", "/provider/algorithm", "/provider/credential",
                "/authorities/0",
            ])
    }
}
