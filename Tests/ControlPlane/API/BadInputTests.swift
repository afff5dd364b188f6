import Hummingbird
import Testing

@testable import JSON
@testable import Store

@Suite struct `Bad input` {
    @Test func `every wrong field is named in one answer`() async throws {
        try await Bench.run { bench in
            try await bench.furnish()
            let answer = try await bench.post(
                "/services",
                """
                {"name":"Bad Name","customer":"nobody","clientDomains":["a..test","*.*.test","app.acme.test"],
                 "endpoint":{"host":"127.0.0.11","httpPort":0,"httpsPort":70000,"path":"/"},"primary":"za9","standbys":"ie1",
                 "acceptProxyProtocol":"yes","sendProxyProtocol":"v3","forwardedFor":1,"colour":"blue","revision":3}
                """)
            #expect(answer.status == 422)
            #expect(answer.problem == "invalid-field")
            #expect(answer.headers[.contentType] == "application/problem+json")
            #expect(
                Set(answer.pointers) == [
                    "/name", "/customer", "/clientDomains/0", "/clientDomains/1", "/clientDomains/2", "/endpoint/host",
                    "/endpoint/httpPort", "/endpoint/httpsPort", "/endpoint/path", "/primary", "/standbys",
                    "/acceptProxyProtocol",
                    "/sendProxyProtocol", "/forwardedFor", "/colour", "/revision",
                ])
            #expect(bench.store.version.number == 4)
        }
    }

    @Test(arguments: [
        // What is sent instead of a good service, where it is wrong, and what the answer says of it.
        (#""name":"\#(String(repeating: "a", count: 300))""#, "/name", "300 octets", 422),
        (#""clientDomains":["\#(String(repeating: "a.", count: 150))test"]"#, "/clientDomains/0", "at most 253", 422),
        (#""clientDomains":["app.*.test"]"#, "/clientDomains/0", "wildcard where none is allowed", 422),
        (#""clientDomains":["bücher.test"]"#, "/clientDomains/0", "A-label", 422),
        (#""clientDomains":["192.0.2.1"]"#, "/clientDomains/0", "ends in a number", 422),
        (#""clientDomains":[]"#, "/clientDomains", "1 to 1000", 422),
        (#""clientDomains":["x.test","x.test"]"#, "/clientDomains/1", "named twice", 422),
        (#""clientDomains":["app.acme.test"]"#, "/clientDomains/0", "belongs to service acme-app", 409),
        (#""clientDomains":["za1.dfree.test"]"#, "/clientDomains/0", "host name of server za1", 409),
        (#""clientDomains":["origin.acme.test"]"#, "/clientDomains/0", "where service acme-app has its endpoint", 409),
        (#""clientDomains":["*.acme.test"]"#, "/clientDomains/0", "where service acme-app has its endpoint", 409),
        (#""endpoint":{"host":"new.acme.test"}"#, "/endpoint/host", "this service's client domain new.acme.test", 422),
        (
            #""endpoint":{"host":"app.acme.test"}"#, "/endpoint/host",
            "client domain app.acme.test of service acme-app", 422
        ),
        (#""endpoint":{"host":"za1.dfree.test"}"#, "/endpoint/host", "host name of server za1", 422),
        (#""endpoint":{"host":"127.0.0.12"}"#, "/endpoint/host", "address of server ie1", 422),
        (#""endpoint":{"host":"169.254.169.254"}"#, "/endpoint/host", "lies in 169.254.0.0/16", 422),
        (#""endpoint":{"host":"::ffff:10.0.0.1"}"#, "/endpoint/host", "lies in 10.0.0.0/8", 422),
        (#""endpoint":{"host":"fd00::1"}"#, "/endpoint/host", "lies in fc00::/7", 422),
        (#""endpoint":{"host":"168.63.129.16"}"#, "/endpoint/host", "lies in 168.63.129.16/32", 422),
        (#""endpoint":{"host":"192.0.2.1"}"#, "/endpoint/host", "lies in 192.0.2.0/24", 422),
        (#""endpoint":{"host":"64:ff9b::a83f:8110"}"#, "/endpoint/host", "lies in 64:ff9b::/96", 422),
        (
            #""endpoint":{"host":"o.test","httpPort":22}"#, "/endpoint/httpPort",
            "expected 80, 443, or 1024 and above, or an exception by the operator (--allow-endpoint-port)", 422
        ),
        (#""endpoint":{"host":"o.test","httpsPort":1023}"#, "/endpoint/httpsPort", "endpoints may not use", 422),
        (
            #""endpoint":{"host":"o.test","fallbacks":[{"host":"p.test","httpsPort":25}]}"#,
            "/endpoint/fallbacks/0/httpsPort", "'25' is a port", 422
        ),
        (#""endpoint":{"host":"0x7f.1"}"#, "/endpoint/host", "ends in a number", 422),
        (#""endpoint":{"host":"o.test","httpPort":65536}"#, "/endpoint/httpPort", "1 to 65535", 422),
        (#""endpoint":{"host":"o.test","httpPort":-1}"#, "/endpoint/httpPort", "1 to 65535", 422),
        (#""endpoint":{"host":"o.test","httpPort":80.5}"#, "/endpoint/httpPort", "whole number", 422),
        (#""endpoint":{"host":"o.test","httpPort":"80"}"#, "/endpoint/httpPort", "whole number", 422),
        (#""endpoint":{"host":"o.test","fallbacks":[{"host":"o.test"}]}"#, "/endpoint/fallbacks/0", "named twice", 422),
        (
            #""endpoint":{"host":"o.test","fallbacks":[{"host":"10.0.0.1"}]}"#, "/endpoint/fallbacks/0/host",
            "10.0.0.0/8", 422
        ),
        (
            #""endpoint":{"host":"o.test","fallbacks":[{"host":"p.test","x":1}]}"#, "/endpoint/fallbacks/0/x",
            "unknown field", 422
        ),
        (#""endpoint":{}"#, "/endpoint/host", "missing", 422),
        (#""endpoint":null"#, "/endpoint", "null; expected an object", 422),
        (#""primary":null"#, "/primary", "null; expected the name of a server", 422),
        (#""standbys":["za1"]"#, "/standbys/0", "named twice", 422),
        (#""standbys":["zz9"]"#, "/standbys/0", "is no server", 422),
        (#""limits":{"connections":0}"#, "/limits/connections", "1 to 1000000000, 'unlimited', or null", 422),
        (#""limits":{"clientConnections":"many"}"#, "/limits/clientConnections", "'many' is no limit", 422),
        (#""limits":{"newConnectionsPerSecond":1.5}"#, "/limits/newConnectionsPerSecond", "This is a number", 422),
        (#""limits":{"minimumBytesPerSecond":1000001}"#, "/limits/minimumBytesPerSecond", "out of range", 422),
        (#""limits":{"clientOpenings":5}"#, "/limits/clientOpenings", "unknown field", 422),
        (#""limits":7"#, "/limits", "expected an object", 422),
        (#""allow":["10.0.0.1/8"]"#, "/allow/0", "bits set beyond its length", 422),
        (#""allow":["10.0.0.0/8","10.0.0.0/8"]"#, "/allow/1", "named twice", 422),
        (#""deny":"10.0.0.0/8""#, "/deny", "This is a string", 422),
        (#""forwardedFields":"drop""#, "/forwardedFields", "one of 'keep', 'strip', 'set', or null", 422),
        (#""flowLog":{"oneIn":1000001}"#, "/flowLog/oneIn", "out of range", 422),
        (#""flowLog":{"intervalSeconds":-1}"#, "/flowLog/intervalSeconds", "0 to 86400", 422),
        (#""flowLog":true"#, "/flowLog", "expected an object", 422),
        (#""a/b~c":1"#, "/a~1b~0c", "unknown field", 422),
        (#""dns":[{"zone":"none.test","name":"a.none.test"}]"#, "/dns/0/zone", "'none.test' is no zone", 422),
        (#""check":{"path":"/","host":"app.acme.test"}"#, "/check/host", "no client domain of this service", 422),
    ])
    func `a wrong service is refused before anything is stored`(
        member: String, pointer: String, says: String, status: Int
    ) async throws {
        try await Bench.run { bench in
            try await bench.furnish()
            // A patch on a service that does not exist yet: the wrong member takes the place of the good one.
            let good = try JSONValue.parse(
                Array(Bench.service("new", domains: ["new.acme.test"], host: "o.new.test").utf8))
            let wrong = try JSONValue.parse("{\(member)}".utf8)
            var document = good.object ?? JSONObject()
            for key in wrong.object?.keys ?? [] { document[key] = wrong.object?[key] }
            let answer = try await bench.post("/services", JSONValue.object(document).description)
            #expect(answer.status == status)
            #expect(answer.pointers == [pointer])
            #expect(answer.text.contains(says), "\(answer.text)")
            #expect(bench.store.version.number == 4)
        }
    }

    @Test(arguments: [
        (#""name":"ZA2""#, "/name", 422),
        (#""region":"""#, "/region", 422),
        (#""hostname":"localhost""#, "/hostname", 422),
        (#""hostname":"za1.dfree.test""#, "/hostname", 409),
        (#""hostname":"app.acme.test""#, "/hostname", 409),
        (#""hostname":"origin.acme.test""#, "/hostname", 409),
        (#""addresses":[]"#, "/addresses", 422),
        (#""addresses":["127.1"]"#, "/addresses/0", 422),
        (#""addresses":["127.0.0.13","127.0.0.13"]"#, "/addresses/1", 422),
        (#""addresses":["127.0.0.11"]"#, "/addresses/0", 409),
        (#""addresses":["8.8.8.8"]"#, "/addresses/0", 409),
        (#""trustedSenders":["10.0.0.1/8"]"#, "/trustedSenders/0", 422),
        (#""defaultServices":{"127.0.0.99":"acme-app"}"#, "/defaultServices/127.0.0.99", 422),
        (#""defaultServices":{"127.0.0.13":"acme-app"}"#, "/defaultServices/127.0.0.13", 422),
        (#""defaultServices":{"127.0.0.13":"nothing"}"#, "/defaultServices/127.0.0.13", 422),
        (#""defaultServices":[]"#, "/defaultServices", 422),
        (#""monitoring":null"#, "/monitoring", 422),
        (#""monitoring":{"intervalSeconds":0}"#, "/monitoring/intervalSeconds", 422),
        (#""monitoring":{"timeoutSeconds":3}"#, "/monitoring/timeoutSeconds", 422),
        (#""connected":true"#, "/connected", 422),
        (#""limits":{"clientOpenings":0}"#, "/limits/clientOpenings", 422),
        (#""limits":{"connections":5}"#, "/limits/connections", 422),
        (#""flowLog":{"oneIn":"off"}"#, "/flowLog/oneIn", 422),
    ])
    func `a wrong server is refused before anything is stored`(member: String, pointer: String, status: Int)
        async throws
    {
        try await Bench.run { bench in
            try await bench.furnish()
            _ = try await bench.post(
                "/services", Bench.service("literal", domains: ["literal.test"], host: "8.8.8.8"))
            let wrong = try JSONValue.parse("{\(member)}".utf8)
            var document = try JSONValue.parse(Array(Bench.server("za2", "127.0.0.13").utf8)).object ?? JSONObject()
            for key in wrong.object?.keys ?? [] { document[key] = wrong.object?[key] }
            let answer = try await bench.post("/servers", JSONValue.object(document).description)
            #expect(answer.status == status, "\(answer.text)")
            #expect(answer.pointers == [pointer])
            #expect(bench.store.version.number == 5)
        }
    }

    @Test func `an exact client domain may stand beside another service's wildcard`() async throws {
        try await Bench.run { bench in
            try await bench.furnish()
            let wild = try await bench.post("/services", Bench.service("wild", domains: ["*.shop.test"]))
            let exact = try await bench.post("/services", Bench.service("exact", domains: ["eu.shop.test"]))
            #expect(wild.status == 201)
            #expect(exact.status == 201)
        }
    }

    @Test(arguments: [
        ("", "ends too early"), ("{", "member has no name"), ("{} {}", "follows the end"),
        (#"{"name":"a","name":"b"}"#, "stands twice"),
        (#"{"name":"\ud800"}"#, "surrogate"), ("{\"name\":\"\u{1}\"}", "control character"),
        ("{\"name\":01}", "begins with a zero"),
        ("NaN", "no JSON value"), (#"{"a":1e999}"#, "too large"),
        (String(repeating: "[", count: 100_000), "deeper than 32"),
    ])
    func `a body that is no JSON is refused with the place`(body: String, says: String) async throws {
        try await Bench.run { bench in
            let answer = try await bench.post("/customers", body)
            #expect(answer.status == 400)
            #expect(answer.problem == "invalid-json")
            #expect(answer.text.contains(says), "\(answer.text)")
        }
    }

    @Test(arguments: ["[]", "\"acme\"", "7", "null", "true"])
    func `a body that is no object is refused`(body: String) async throws {
        try await Bench.run { bench in
            try await bench.furnish()
            #expect(try await bench.post("/customers", body).status == 422)
            #expect(try await bench.patch("/services/acme-app", body).status == 422)
        }
    }

    @Test func `a body over a megabyte is refused`() async throws {
        try await Bench.run { bench in
            let answer = try await bench.post(
                "/customers", #"{"name":""# + String(repeating: "a", count: 1 << 20) + #""}"#)
            #expect(answer.status == 413)
            #expect(answer.problem == "too-large")
        }
    }

    @Test func `a megabyte of wrong fields gets a short answer`() async throws {
        try await Bench.run { bench in
            let fields = (0..<60_000).map { "\"f\($0)\":1" }.joined(separator: ",")
            let answer = try await bench.post("/customers", "{\(fields)}")
            #expect(answer.status == 422)
            #expect(answer.pointers.count == 101)
            #expect(answer.text.contains("59901 more fields"))
        }
    }

    @Test(arguments: ["text/plain", "application/xml", "application/json; charset=latin1", ""])
    func `another content type is refused`(type: String) async throws {
        try await Bench.run { bench in
            let answer = try await bench.post("/customers", #"{"name":"acme"}"#, [.contentType: type])
            #expect(answer.status == 415)
            #expect(answer.problem == "unsupported-media-type")
        }
    }

    @Test(arguments: [
        "/services?colour=blue", "/services?limit=0", "/services?limit=1001", "/services?limit=x",
        "/services?limit=1&limit=2",
        "/services?cursor=x", "/services?cursor=Y3VzdG9tZXJzOmE", "/services?customer=A%20B", "/services?customer=%zz",
        "/versions?cursor=dmVyc2lvbnM6LTE", "/services/acme-app?limit=1",
    ])
    func `a wrong query parameter is refused`(path: String) async throws {
        try await Bench.run { bench in
            let answer = try await bench.get(path)
            #expect(answer.status == 400, "\(answer.text)")
            #expect(answer.problem == "invalid-parameter")
        }
    }

    @Test(arguments: [
        "dry_run=yes", "wait=forever", "wait=applied&timeout=0", "wait=applied&timeout=nan", "timeout=61",
    ])
    func `a wrong option of a change is refused`(query: String) async throws {
        try await Bench.run { bench in
            let answer = try await bench.post("/customers?\(query)", #"{"name":"acme"}"#)
            #expect(answer.status == 400)
            #expect(bench.store.version.number == 0)
        }
    }

    @Test(arguments: [
        "/services/none", "/services/%00", "/services/..%2F..", "/services/%ff",
        "/services/\(String(repeating: "a", count: 5000))",
        "/versions/0", "/versions/99", "/versions/-1", "/versions/x", "/versions/18446744073709551616",
        "/versions/1/diff/99",
        "/nothing", "/", "//customers", "/customers/",
    ])
    func `what is not there is not found`(path: String) async throws {
        try await Bench.run { bench in
            try await bench.furnish()
            let answer = try await bench.get(path)
            #expect(answer.status == 404)
            #expect(answer.problem == "not-found")
        }
    }

    @Test func `a method that does not apply is refused and the others are named`() async throws {
        try await Bench.run { bench in
            let answer = try await bench.send(.put, "/api/v1/services/acme-app")
            #expect(answer.status == 405)
            #expect(answer.headers[.allow] == "DELETE, GET, HEAD, PATCH")
            #expect(try await bench.send(.init("BREW") ?? .put, "/api/v1/versions").status == 405)
        }
    }

    @Test func `a name cannot be changed`() async throws {
        try await Bench.run { bench in
            try await bench.furnish()
            #expect(try await bench.patch("/services/acme-app", #"{"name":"other"}"#).pointers == ["/name"])
            #expect(try await bench.patch("/services/acme-app", #"{"name":null}"#).pointers == ["/name"])
        }
    }

    @Test func `what others need cannot be deleted`() async throws {
        try await Bench.run { bench in
            try await bench.furnish()
            _ = try await bench.patch("/servers/za1", #"{"defaultServices":{"127.0.0.11":"acme-app"}}"#)
            for path in ["/customers/acme", "/servers/za1", "/servers/ie1", "/services/acme-app"] {
                let answer = try await bench.delete(path)
                #expect(answer.status == 409, "\(path)")
                #expect(answer.problem == "conflict")
            }
            let moved = try await bench.patch("/services/acme-app", #"{"primary":"ie1","standbys":[]}"#)
            #expect(moved.status == 409)
            #expect(moved.text.contains("default service"))
            #expect(bench.store.version.number == 5)
        }
    }

    @Test func `a server may not take the address of an endpoint`() async throws {
        try await Bench.run { bench in
            try await bench.furnish()
            _ = try await bench.patch("/services/acme-app", #"{"endpoint":{"host":"8.8.8.8"}}"#)
            let answer = try await bench.patch("/servers/ie1", #"{"addresses":["127.0.0.12","8.8.8.8"]}"#)
            #expect(answer.status == 409)
            #expect(answer.pointers == ["/addresses/1"])
        }
    }

    @Test func `an endpoint to check is judged like one to keep`() async throws {
        try await Bench.run { bench in
            try await bench.furnish()
            let path = "/services/acme-app/endpoint-check"
            #expect(try await bench.post(path, #"{"endpoint":{"host":"10.0.0.1"}}"#).pointers == ["/endpoint/host"])
            #expect(try await bench.post(path, #"{"endpoint":{"host":"o.test"},"x":1}"#).pointers == ["/x"])
            let port = try await bench.post(path, #"{"endpoint":{"host":"o.test","httpPort":22}}"#)
            #expect(port.pointers == ["/endpoint/httpPort"])
            let answer = try await bench.post(path)
            #expect(answer.status == 200)
            #expect(answer.text.contains(#"{"server":"za1","state":"disconnected","targets":[]}"#))
        }
    }

    @Test func `garbage never gets past the door, and nothing falls over`() async throws {
        try await Bench.run { bench in
            try await bench.furnish()
            var random = SplitMix(state: 7)
            let seeds = [
                Bench.service("x", domains: ["x.test"]), Bench.server("s", "127.0.0.13"), #"{"name":"acme"}"#,
                #"{"endpoint":{"host":"h.test","fallbacks":[{"host":"::1","httpPort":1e2}]}}"#,
                #"{"name":"z.test","provider":{"kind":"route53","hostedZone":"Z0","url":null,"credential":"k"}}"#,
                #"{"monitoring":{"intervalSeconds":9,"quorum":null},"webhooks":[{"url":"http://h.test","credential":"k"}]}"#,
            ]
            for round in 0..<600 {
                var bytes = Array(seeds[round % seeds.count].utf8)
                for _ in 0...Int.random(in: 0...6, using: &random) {
                    let place = Int.random(in: 0..<bytes.count, using: &random)
                    switch Int.random(in: 0..<4, using: &random) {
                    case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
                    case 1:
                        bytes.insert(
                            contentsOf: Array("{\"[,:nul\\u0000".utf8).shuffled(using: &random).prefix(3), at: place)
                    case 2: bytes.removeSubrange(place..<min(bytes.count, place + 3))
                    default: bytes = Array(bytes.prefix(max(1, place)))
                    }
                    if bytes.isEmpty { bytes = [0x7B] }
                }
                let path = ["/services", "/servers", "/customers", "/services/acme-app", "/zones", "/settings"][
                    round % 6]
                let method: HTTPRequest.Method = ["/services/acme-app", "/settings"].contains(path) ? .patch : .post
                let status = try await bench.client.execute(
                    uri: "/api/v1\(path)", method: method,
                    headers: [.authorization: "Bearer \(bench.token)", .contentType: "application/json"],
                    body: ByteBuffer(bytes: bytes)
                ) { $0.status.code }
                #expect(status < 500)
            }
            #expect(try await bench.get("/services/acme-app").status == 200)
        }
    }
}

/// A generator that gives the same numbers in every run, so that what a test finds is found again.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
