import Domain
import Testing

@testable import Fleet
@testable import JSON

@Suite struct `The check of an endpoint, in documents` {
    private func read(_ check: String) throws -> (endpoint: Endpoint?, faults: [String], text: String) {
        let findings = Findings()
        let value = try JSONValue.parse(#"{"host":"o.test","fallbacks":[{"host":"p.test"}],\#(check)}"#.utf8)
        let draft = EndpointDraft(reading: value, at: "/endpoint", findings)
        return (draft.endpoint, findings.all.map(\.pointer), findings.all.map(\.sentence).joined(separator: " "))
    }

    @Test func `is read as it is written`() throws {
        let text = #"""
            "check":{"kind":"http","path":"/health?x=1","intervalSeconds":7,"timeoutSeconds":3,"rise":4,"fall":5,
                     "holdDownSeconds":0}
            """#
        let (endpoint, faults, _) = try read(text)
        #expect(faults == [])
        #expect(
            try endpoint?.check
                == HealthCheck(kind: .http, path: "/health?x=1", interval: 7, timeout: 3, rise: 4, fall: 5, holdDown: 0)
        )
        let sent = try #require(try JSONValue.parse("{\(text)}".utf8).object)
        let document = try #require(endpoint?.document)
        #expect(document.object?["check"] == sent["check"])
        #expect(EndpointDraft(reading: document, at: "/endpoint", Findings()).endpoint == endpoint)
    }

    @Test func `is none where nobody says anything, and none is null`() throws {
        for text in [#""check":null"#, #""httpPort":80"#] {
            let endpoint = try #require(try read(text).endpoint)
            #expect(endpoint.check == nil)
            #expect(endpoint.document.object?["check"] == .null)
        }
    }

    @Test func `need not say what is usual, and takes no longer than its interval`() throws {
        #expect(try read(#""check":{"kind":"tcp"}"#).endpoint?.check == HealthCheck(kind: .tcp))
        #expect(
            try read(#""check":{"kind":"tls","intervalSeconds":1,"rise":null}"#).endpoint?.check
                == HealthCheck(kind: .tls, interval: 1, timeout: 1))
    }

    @Test func `stays when another host is patched in, changes in part, and goes with null`() throws {
        let checked = try #require(try read(#""check":{"kind":"http","path":"/a","fall":9}"#).endpoint).document
        func patched(_ patch: String) throws -> Endpoint? {
            let document = checked.merged(with: try JSONValue.parse(patch.utf8))
            return EndpointDraft(reading: document, at: "/endpoint", Findings()).endpoint
        }
        let moved = try patched(#"{"host":"q.test"}"#)
        #expect(moved?.target.host.description == "q.test")
        #expect(try moved?.check == HealthCheck(kind: .http, path: "/a", fall: 9))
        #expect(try patched(#"{"check":{"path":"/b"}}"#)?.check == HealthCheck(kind: .http, path: "/b", fall: 9))
        #expect(try patched(#"{"check":null}"#)?.check == nil)
    }

    @Test(arguments: [
        (#""check":"tcp""#, "/endpoint/check", "This is a string; expected an object"),
        (#""check":{}"#, "/endpoint/check/kind", "'kind' is missing; expected one of 'tcp', 'tls', 'http'"),
        (#""check":{"kind":"udp"}"#, "/endpoint/check/kind", "'udp' is not known here"),
        (#""check":{"kind":"http","path":"x"}"#, "/endpoint/check/path", "is no path"),
        (#""check":{"kind":"tcp","intervalSeconds":0}"#, "/endpoint/check/intervalSeconds", "from 1 to 3600"),
        (#""check":{"kind":"tcp","intervalSeconds":1.5}"#, "/endpoint/check/intervalSeconds", "a whole number"),
        (#""check":{"kind":"tcp","timeoutSeconds":6}"#, "/endpoint/check/timeoutSeconds", "the interval, 5 s"),
        (#""check":{"kind":"tcp","rise":101}"#, "/endpoint/check/rise", "from 1 to 100"),
        (#""check":{"kind":"tcp","fall":"3"}"#, "/endpoint/check/fall", "This is a string"),
        (#""check":{"kind":"tcp","holdDownSeconds":86401}"#, "/endpoint/check/holdDownSeconds", "from 0 to 86400"),
        (#""check":{"kind":"tcp","port":80}"#, "/endpoint/check/port", "unknown field"),
    ])
    func `that cannot be are refused where they are`(text: String, pointer: String, sentence: String) throws {
        let (endpoint, faults, found) = try read(text)
        #expect(endpoint == nil)
        #expect(faults == [pointer])
        #expect(found.contains(sentence), "\(found)")
    }
}
