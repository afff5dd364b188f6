import Foundation
import JSON
import Testing

/// The flow log, from the command that asks for it to the lines.
@Suite(.realParts) struct `The flow log` {
    /// Lines about flows that have ended, as they stand in what the server has said.
    private func lines(_ server: Server, _ service: String) throws -> [JSONValue] {
        try server.program.log.split(separator: "\n").filter { $0.hasPrefix("{") }.map { try JSONValue.parse($0.utf8) }
            .filter {
                $0["service"] == JSONValue.string(service) && $0["event"] == "end"
            }
    }

    @Test func `has a line for each flow of a service that wants it, with what is counted and billed`() throws {
        let nginx = try Nginx("first", "second")
        let fleet = try Fleet.single(to: nginx.first.endpoint)
        try fleet.addService("acme-rest", domains: ["rest.acme.test"], to: nginx.second.endpoint)
        let server = fleet.servers[0]
        let shell = try Shell(fleet)
        _ = try shell.succeed("service edit acme-app --flow-log 1 --wait")
        let source = Loopback.fresh()
        for host in ["app.acme.test", "rest.acme.test"] {
            for _ in 0..<3 {
                let connection = try TCPConnection(to: server.http, from: source)
                let request = "GET / HTTP/1.1\r\nHost: \(host)\r\nConnection: close\r\n\r\n"
                #expect(try connection.exchange(request).status == 200)
                #expect(connection.receive() == .end)
            }
        }
        try eventually("three lines: \(server.program.log.suffix(2000))") { try lines(server, "acme-app").count >= 3 }
        let written = try lines(server, "acme-app")
        #expect(written.count == 3)
        for line in written {
            #expect(line["server"] == "za1" && line["protocol"] == "http" && line["ending"] == "closed")
            #expect(line["client"].text?.hasPrefix("\(source):") == true)
            #expect(line["called"].text == "\(server.http)")
            #expect(line["name"] == "app.acme.test" && line["rule"] == "domain" && line["target"] == "endpoint")
            #expect(line["endpoint"].text == "\(nginx.first.endpoint.host):\(nginx.first.endpoint.httpPort)")
            #expect(line["requests"] == 1 && line["status"] == 200)
        }
        // The lines add up to what is billed.
        for (member, direction) in [("bytesUp", "up"), ("bytesDown", "down")] {
            let name = "ddirect_service_bytes_total{service=\"acme-app\",direction=\"\(direction)\"}"
            let sum = written.reduce(0) { $0 + ($1[member].integer ?? 0) }
            #expect(sum > 0)
            #expect(try server.metric(name) == UInt64(sum))
        }
        #expect(try lines(server, "acme-rest").isEmpty)
        try eventually("the count of lines") {
            try server.metric("ddirect_flow_log_lines_total{outcome=\"written\"}") == 3
        }
        #expect(
            try server.metric("ddirect_service_responses_total{service=\"acme-rest\",from=\"endpoint\",class=\"2xx\"}")
                == 3)

        _ = try shell.succeed("service edit acme-app --flow-log off --wait")
        #expect(try HTTPResponse.get("/", at: server.http, host: "app.acme.test").status == 200)
        _ = try shell.succeed("server edit za1 --flow-log 1 --wait")
        #expect(try HTTPResponse.get("/", at: server.http, host: "rest.acme.test").status == 200)
        try eventually("the line of the other service") { try lines(server, "acme-rest").count == 1 }
        #expect(try lines(server, "acme-app").count == 3, "what the service says counts before its server's word")
    }

    @Test func `holds up no traffic when nobody reads it, and counts what is lost`() throws {
        let nginx = try Nginx("first")
        let path = try Scene.present().path("collector.sock")
        let script = """
            import socket, sys, time
            listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            listener.bind(sys.argv[1])
            time.sleep(3600)
            """
        let collector = try Program("python3", ["-c", script, path])
        try eventually("the socket") { FileManager.default.fileExists(atPath: path) }
        let fleet = try Fleet.single(to: nginx.first.endpoint, flags: ["--flow-log", "unix:\(path)"])
        let server = fleet.servers[0]
        let shell = try Shell(fleet)
        try fleet.liftClientLimits()
        _ = try shell.succeed("service edit acme-app --flow-log 1 --wait")
        let load = try Load.requests(to: server)
        try load.awaitMore(600)
        #expect(load.stop().failures.map(\.description) == [])
        try eventually("the count of lines that were taken") {
            try server.metric("ddirect_flow_log_lines_total{outcome=\"written\"}") > 0
        }
        #expect(try HTTPResponse.get("/healthz", at: server.admin).status == 200)
        withExtendedLifetime(collector) {}
    }
}
