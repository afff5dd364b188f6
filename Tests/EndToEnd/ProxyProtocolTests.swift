import Testing

/// PROXY headers, with those who invented them and with nginx.
@Suite(.realParts) struct `PROXY protocol` {
    // MARK: To the endpoint

    @Test(arguments: ["v1", "v2"]) func `HAProxy as endpoint learns the device's address`(version: String) throws {
        let haproxy = try HAProxy()
        let fleet = try Fleet.single(to: haproxy.receiver, options: ["sendProxyProtocol": .string(version)])
        let server = fleet.servers[0]
        let device = Loopback.fresh()
        let plain = try HTTPResponse.get("/", at: server.http, host: "app.acme.test", from: device)
        #expect(plain.body.contains("src=\(device):"))
        #expect(plain.body.contains("dst=\(server.http)"))
        let curl = Curl(server: server, certificate: haproxy.certificate.certificate)
        let secure = try curl.get("https://app.acme.test/", "--interface", device)
        #expect(secure.body.contains("src=\(device):"))
        #expect(secure.body.contains("dst=\(server.https)"))
    }

    @Test(arguments: ["v1", "v2"]) func `nginx as endpoint learns the device's address`(version: String) throws {
        let nginx = try Nginx("first")
        let fleet = try Fleet.single(to: nginx.first.proxyEndpoint, options: ["sendProxyProtocol": .string(version)])
        let server = fleet.servers[0]
        let device = Loopback.fresh()
        let curl = Curl(server: server, certificate: nginx.certificate.certificate)
        let secure = try curl.get("https://app.acme.test/", "--interface", device, "--http1.1")
        #expect(secure.body.contains("proxied=\(device):"))
        #expect(secure.body.contains("to=\(server.https)"))
        let connection = try TCPConnection(to: server.http, from: device)
        for _ in 0..<3 {
            let response = try connection.exchange("GET / HTTP/1.1\r\nHost: app.acme.test\r\n\r\n")
            #expect(response.body.contains("xff=\(device) "))
            #expect(response.body.contains("proxied=\(device):"))
        }
    }

    // MARK: From a trusted sender

    @Test(arguments: ["v1", "v2"], ["v1", "v2"])
    func `a device behind HAProxy keeps its address all the way`(received: String, sent: String) throws {
        let nginx = try Nginx("first")
        let sender = Loopback.fresh()
        let fleet = try Fleet.single(
            to: nginx.first.proxyEndpoint, trusting: ["\(sender)/32"],
            options: ["acceptProxyProtocol": true, "sendProxyProtocol": .string(sent)])
        let haproxy = try HAProxy(inFrontOf: fleet.servers[0], sending: received, from: sender)
        let device = Loopback.fresh()
        let plain = try HTTPResponse.get("/", at: haproxy.http, host: "app.acme.test", from: device)
        #expect(plain.body.contains("xff=\(device) "))
        #expect(plain.body.contains("proxied=\(device):"))
        #expect(plain.body.contains("to=\(haproxy.http)"), "the address that the device called goes along")
        let secure = try succeed(
            "curl",
            [
                "-sS", "--interface", device, "--cacert", nginx.certificate.certificate, "--http1.1", "--connect-to",
                "::\(haproxy.https)", "https://app.acme.test/",
            ])
        #expect(secure.contains("proxied=\(device):"))
    }

    @Test func `a device behind nginx keeps its address all the way`() throws {
        let endpoint = try Nginx("first")
        let sender = Loopback.fresh()
        let fleet = try Fleet.single(
            to: endpoint.first.endpoint, trusting: ["\(sender)/32"], options: ["acceptProxyProtocol": true])
        let front = try StreamNginx(inFrontOf: fleet.servers[0], from: sender)
        let device = Loopback.fresh()
        let plain = try HTTPResponse.get("/", at: front.http, host: "app.acme.test", from: device)
        #expect(plain.body.contains("xff=\(device) "))
    }

    @Test func `a service that does not take the sender's word sees the sender`() throws {
        let nginx = try Nginx("first")
        let sender = Loopback.fresh()
        let fleet = try Fleet.single(
            to: nginx.first.endpoint, trusting: ["\(sender)/32"], options: ["acceptProxyProtocol": false])
        let haproxy = try HAProxy(inFrontOf: fleet.servers[0], sending: "v2", from: sender)
        let plain = try HTTPResponse.get("/", at: haproxy.http, host: "app.acme.test", from: Loopback.fresh())
        #expect(plain.body.contains("xff=\(sender) "))
    }

    @Test func `a trusted sender without a header is refused`() throws {
        let nginx = try Nginx("first")
        let sender = Loopback.fresh()
        let fleet = try Fleet.single(
            to: nginx.first.endpoint, trusting: ["\(sender)/32"], options: ["acceptProxyProtocol": true])
        let server = fleet.servers[0]
        let connection = try TCPConnection(to: server.http, from: sender)
        try connection.send("GET / HTTP/1.1\r\nHost: app.acme.test\r\n\r\n")
        #expect(connection.receiveAll().text == "")
        try server.awaitIncident("proxy_header_refused")
    }

    // MARK: From anyone else

    @Test func `a header from an untrusted sender is not believed`() throws {
        let nginx = try Nginx("first")
        let fleet = try Fleet.single(
            to: nginx.first.endpoint, trusting: ["\(Loopback.fresh())/32"], options: ["acceptProxyProtocol": true])
        let server = fleet.servers[0]
        let headers = [
            Array("PROXY TCP4 192.0.2.66 192.0.2.1 4711 80\r\n".utf8),
            [13, 10, 13, 10, 0, 13, 10] + Array("QUIT\n".utf8) + [
                0x21, 0x11, 0, 12, 192, 0, 2, 66, 192, 0, 2, 1, 0x12, 0x67, 0, 80,
            ],
        ]
        for header in headers {
            let plain = try TCPConnection(to: server.http)
            try plain.send(header + Array("GET / HTTP/1.1\r\nHost: app.acme.test\r\n\r\n".utf8))
            #expect(plain.receiveAll().text.hasPrefix("HTTP/1.1 400 "))
            let secure = try TCPConnection(to: server.https)
            try secure.send(header + clientHello("app.acme.test"))
            #expect(secure.receiveAll().text == "")
        }
        try server.awaitIncident("request_refused", beyond: 1)
        try server.awaitIncident("hello_refused", beyond: 1)
    }
}
