import Foundation
import JSON
import Testing

/// What the product is for: a device's traffic reaches the endpoint that the control plane names.
@Suite(.realParts) struct `Carrying` {
    @Test func `HTTP and HTTPS reach the endpoint through both servers`() throws {
        let nginx = try Nginx("first")
        let fleet = try Fleet.pair(to: nginx.first.endpoint)
        for server in fleet.servers {
            let curl = Curl(server: server, certificate: nginx.certificate.certificate)
            let plain = try curl.get("http://app.acme.test/")
            #expect(plain.status == 200)
            #expect(told(plain.body)["name"] == "first")
            #expect(told(plain.body)["host"] == "app.acme.test")
            let secure = try curl.get("https://app.acme.test/", "--http1.1")
            #expect(secure.status == 200)
            #expect(told(secure.body)["sni"] == "app.acme.test")
            #expect(told(secure.body)["xff"] == "", "nothing is added inside TLS")
        }
    }

    @Test func `openssl sees the endpoint's own certificate`() throws {
        let nginx = try Nginx("first")
        let fleet = try Fleet.single(to: nginx.first.endpoint)
        let said = try run(
            "openssl",
            [
                "s_client", "-connect", "\(fleet.servers[0].https)", "-servername", "app.acme.test", "-CAfile",
                nginx.certificate.certificate, "-verify_return_error", "-verify_hostname", "app.acme.test", "-ign_eof",
            ], input: "GET / HTTP/1.1\r\nHost: app.acme.test\r\nConnection: close\r\n\r\n")
        #expect(said.output.contains("Verify return code: 0 (ok)"))
        #expect(said.output.contains("sni=app.acme.test"))
    }

    @Test func `the device's address is appended to X-Forwarded-For of every request`() throws {
        let nginx = try Nginx("first")
        let fleet = try Fleet.single(to: nginx.first.endpoint)
        let device = Loopback.fresh()
        let connection = try TCPConnection(to: fleet.servers[0].http, from: device)
        for given in ["", "198.51.100.7", "198.51.100.7, 203.0.113.9"] {
            let field = given.isEmpty ? "" : "X-Forwarded-For: \(given)\r\n"
            let response = try connection.exchange("GET / HTTP/1.1\r\nHost: app.acme.test\r\n\(field)\r\n")
            let wanted = given.isEmpty ? device : "\(given), \(device)"
            #expect(response.body.contains("xff=\(wanted) from"))
        }
    }

    @Test func `X-Forwarded-For is replaced or left alone as the service says`() throws {
        let nginx = try Nginx("first")
        let fleet = try Fleet.single(to: nginx.first.endpoint, options: ["forwardedFor": "replace"])
        let device = Loopback.fresh()
        func seen() throws -> String {
            try HTTPResponse.get(
                "/", at: fleet.servers[0].http, host: "app.acme.test", from: device,
                fields: "X-Forwarded-For: 198.51.100.7\r\n"
            ).body
        }
        #expect(try seen().contains("xff=\(device) from"))
        try fleet.api.apply("PATCH", "/services/acme-app", ["forwardedFor": "off"])
        #expect(try seen().contains("xff=198.51.100.7 from"))
    }

    @Test func `HTTP/2 passes untouched`() throws {
        let nginx = try Nginx("first")
        let fleet = try Fleet.single(to: nginx.first.endpoint)
        let curl = Curl(server: fleet.servers[0], certificate: nginx.certificate.certificate)
        let answer = try curl.get("https://app.acme.test/", "--http2")
        #expect(answer.status == 200)
        #expect(answer.httpVersion == "2")
    }

    @Test(arguments: ["http", "https"]) func `large files arrive whole in both directions`(scheme: String) throws {
        let nginx = try Nginx("first")
        let fleet = try Fleet.single(to: nginx.first.endpoint)
        let curl = Curl(server: fleet.servers[0], certificate: nginx.certificate.certificate)
        let (original, copy) = ("\(nginx.files)/large", try Scene.present().path("copy"))
        try succeed("dd", ["if=/dev/urandom", "of=\(original)", "bs=1M", "count=48", "status=none"])
        let down = try curl.get("\(scheme)://app.acme.test/files/large", "-o", copy)
        #expect(down.status == 200)
        #expect(try checksum(copy) == checksum(original))
        let up = try curl.get("\(scheme)://app.acme.test/files/uploaded", "-T", copy)
        #expect(up.status == 201)
        #expect(try checksum("\(nginx.files)/uploaded") == checksum(original))
        let chunked = try curl.get(
            "\(scheme)://app.acme.test/files/chunked", "-T", copy, "-H", "Transfer-Encoding: chunked")
        #expect(chunked.status == 201)
        #expect(try checksum("\(nginx.files)/chunked") == checksum(original))
        // Every byte is counted, in its direction, and none twice.
        try fleet.servers[0].awaitNoFlows()
        let metrics = try fleet.servers[0].metrics()
        let counted = ["up", "down"].map {
            metrics["ddirect_service_bytes_total{service=\"acme-app\",direction=\"\($0)\"}"] ?? 0
        }
        // What comes to a file of 48 MiB. By plain HTTP: heads, and 12 bytes of a chunk's size for each 16 KiB at the
        // most, 36 KiB in all. By TLS: 22 bytes of a record and 9 of a frame for each 4 KiB at the worst, 372 KiB in
        // all; the rest of the megabyte is for handshakes, and for the windows that HTTP/2 opens again and again while
        // a file is sent up.
        let file: UInt64 = 48 << 20
        let rest: UInt64 = scheme == "http" ? 64 << 10 : 1 << 20
        let expected = [2 * file...2 * (file + rest), file...file + rest]
        for (range, count) in zip(expected, counted) { #expect(range.contains(count), "\(count) is not in \(range)") }
    }

    private func checksum(_ path: String) throws -> String { try String(succeed("sha256sum", [path]).prefix(64)) }

    @Test func `one connection carries many requests`() throws {
        let nginx = try Nginx("first")
        let fleet = try Fleet.single(to: nginx.first.endpoint)
        let connection = try TCPConnection(to: fleet.servers[0].http)
        for number in 0..<500 {
            let response = try connection.exchange("GET /\(number) HTTP/1.1\r\nHost: app.acme.test\r\n\r\n")
            try #require(response.status == 200)
        }
        let metrics = try fleet.servers[0].metrics()
        #expect(metrics["ddirect_service_requests_total{service=\"acme-app\"}"] == 500)
        #expect(metrics["ddirect_service_connections_total{service=\"acme-app\"}"] == 1)
    }

    @Test func `requests sent ahead of their answers are answered in order`() throws {
        let nginx = try Nginx("first")
        let fleet = try Fleet.single(to: nginx.first.endpoint)
        let connection = try TCPConnection(to: fleet.servers[0].http)
        let requests = (0..<50).map {
            "GET / HTTP/1.1\r\nHost: app.acme.test\r\nX-Forwarded-For: 192.0.2.\($0)\r\n\r\n"
        }
        try connection.send(requests.joined())
        for number in 0..<50 {
            let response = try connection.receiveResponse()
            try #require(response.body.contains("xff=192.0.2.\(number), 127."))
        }
    }

    @Test func `an empty line behind a body and trailers behind chunks cost no request`() throws {
        let nginx = try Nginx("first")
        let fleet = try Fleet.single(to: nginx.first.endpoint)
        let connection = try TCPConnection(to: fleet.servers[0].http)
        let put = "PUT /files/x HTTP/1.1\r\nHost: app.acme.test\r\n"
        try connection.send("\r\n\(put)Content-Length: 4\r\n\r\nbody\r\n")
        #expect(try connection.receiveResponse().status == 201)
        try connection.send(
            "\(put)Transfer-Encoding: chunked\r\nTrailer: X-Checksum\r\n\r\n5\r\nhello\r\n0\r\nX-Checksum: abc\r\nHost: x\r\n\r\n"
        )
        #expect(try connection.receiveResponse().status == 204)
        #expect(text(ofFile: "\(nginx.files)/x") == "hello")
        let answer = try connection.exchange("GET / HTTP/1.1\r\nHost: app.acme.test\r\n\r\n")
        #expect(told(answer.body)["name"] == "first")
        #expect(try fleet.servers[0].metric("ddirect_service_requests_total{service=\"acme-app\"}") == 3)
    }

    @Test func `a request with an absolute target reaches the endpoint as any other`() throws {
        let nginx = try Nginx("first")
        let fleet = try Fleet.single(to: nginx.first.endpoint)
        let curl = Curl(server: fleet.servers[0])
        let answer = try curl.get("http://app.acme.test/", "--request-target", "http://APP.acme.test:8080/a?b")
        #expect(answer.status == 200)
        #expect(told(answer.body)["host"] == "app.acme.test")
    }

    @Test func `what belongs to one connection stays on it, and the last answer says that it is the last`() throws {
        let peer = try Peer { connection in
            let head = try connection.receive(until: "\r\n\r\n")
            try connection.send(
                "HTTP/1.1 200 OK\r\nConnection: keep-alive, X-Hop\r\nKeep-Alive: timeout=5\r\nX-Hop: 1\r\nX-End: 2\r\n"
                    + "Content-Length: \(head.utf8.count)\r\n\r\n\(head)")
            _ = connection.receiveAll()
        }
        let fleet = try Fleet.single(to: Endpoint(peer.place), options: ["forwardedFor": "off"])
        let curl = Curl(server: fleet.servers[0])
        let answer = try curl.get(
            "http://app.acme.test/", "-i", "-H", "Connection: close, X-Drop", "-H", "X-Drop: 1", "-H", "X-Keep: 2",
            "-H",
            "Keep-Alive: 300", "-H", "Proxy-Connection: keep-alive", "-H", "TE: trailers")
        let (head, heard) = try #require(
            answer.body.firstRange(of: "\r\n\r\n").map {
                (answer.body[..<$0.lowerBound], answer.body[$0.upperBound...])
            })
        #expect(head.contains("\r\nConnection: close") && head.contains("\r\nX-End: 2"))
        #expect(!head.contains("X-Hop") && !head.contains("eep-Alive") && !head.contains("keep-alive"))
        #expect(
            heard.contains("Connection: close\r\n") && heard.contains("X-Keep: 2\r\n")
                && heard.contains("TE: trailers\r\n"))
        #expect(!heard.contains("X-Drop") && !heard.contains("Keep-Alive") && !heard.contains("Proxy-Connection"))
    }

    @Test func `Python's server, which speaks HTTP 1 0, is read to its end`() throws {
        let place = try Place.fresh()
        let folder = try makeFolder(Scene.present().path("python"))
        try write(String(repeating: "x", count: 300_000), to: "\(folder)/large")
        let python = try Program(
            "python3", ["-m", "http.server", "\(place.port)", "--bind", place.address, "--directory", folder])
        try eventually("python answers") { (try? TCPConnection(to: place)) != nil && python.isRunning }
        let curl = Curl(server: try Fleet.single(to: Endpoint(place)).servers[0])
        for option in ["--http1.1", "--http1.0", "-HConnection: close"] {
            let answer = try curl.get("http://app.acme.test/large", option)
            #expect(answer.status == 200 && answer.body.utf8.count == 300_000, "\(option)")
        }
        #expect(try curl.get("http://app.acme.test/none", "-I").status == 404)
    }

    @Test func `an upgraded connection carries whatever both sides say`() throws {
        let peer = try Peer { connection in
            let head = try connection.receive(until: "\r\n\r\n")
            guard head.contains("Upgrade: websocket") else { return }
            try connection.send(
                "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello ")
            while case .bytes(let bytes) = connection.receive() { try connection.send(bytes) }
        }
        let fleet = try Fleet.single(to: Endpoint(peer.place))
        let connection = try TCPConnection(to: fleet.servers[0].http)
        try connection.send(
            "GET /chat HTTP/1.1\r\nHost: app.acme.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
        #expect(try connection.receive(until: "\r\n\r\n").hasPrefix("HTTP/1.1 101 "))
        #expect(try connection.receive(exactly: 6) == Array("hello ".utf8))
        for text in ["GET / HTTP/1.1\r\n\r\n", "\u{0}\u{1}frames", String(repeating: "x", count: 100_000)] {
            try connection.send(text)
            #expect(try connection.receive(exactly: text.utf8.count) == Array(text.utf8))
        }
        connection.endWriting()
        #expect(connection.receive() == .end)
    }

    @Test func `the monitor endpoint answers through the path of traffic`() throws {
        let nginx = try Nginx("first")
        let fleet = try Fleet.single(to: nginx.first.endpoint)
        let curl = Curl(server: fleet.servers[0])
        for (url, options) in [("http://za1.dfree.test/", "-4"), ("https://za1.dfree.test/", "-k")] {
            let answer = try curl.get(url, options)
            #expect(answer.status == 200)
            #expect(try JSONValue.parse(answer.body.utf8)["server"] == "za1")
            #expect(try JSONValue.parse(answer.body.utf8)["state"] == "serving")
        }
    }

    @Test func `a wildcard, an exact name and the default service each have their endpoint`() throws {
        let nginx = try Nginx("first", "second", "third")
        let fleet = try Fleet.single(to: nginx.first.endpoint)
        let server = fleet.servers[0]
        try fleet.addService("acme-all", domains: ["*.acme.test"], to: nginx.second.endpoint)
        try fleet.addService("rest", domains: ["rest.example.test"], to: nginx.sites[2].endpoint)
        func site(_ host: String) throws -> String? {
            told(try HTTPResponse.get("/", at: server.http, host: host).body)["name"]
        }
        #expect(try site("app.acme.test") == "first")
        #expect(try site("APP.Acme.Test:80") == "first")
        #expect(try site("shop.acme.test") == "second")
        #expect(try HTTPResponse.get("/", at: server.http, host: "unknown.example.test").status == 421)
        try fleet.api.apply("PATCH", "/servers/za1", ["defaultServices": .object([server.address: "rest"])])
        #expect(try site("unknown.example.test") == "third")
    }
}
