import Foundation
import Glibc
import Testing

/// The last good snapshot in a file: for a server that boots while the control plane is away.
@Suite(.realParts) struct `The snapshot cache` {
    /// A fleet whose server keeps its snapshot in a file, and that file.
    private func fleet(to endpoint: Endpoint) throws -> (fleet: Fleet, server: Server, path: String) {
        let fleet = try Fleet()
        let path = "\(fleet.folder)/snapshot"
        let server = try fleet.addServer("za1", flags: ["--snapshot-cache", path])
        try fleet.addService(to: endpoint)
        return (fleet, server, path)
    }

    /// Waits until the file holds what is in force.
    private func awaitKept(_ path: String, beyond before: Data = Data()) throws {
        try eventually("the snapshot is kept") {
            FileManager.default.contents(atPath: path).map { !$0.isEmpty && $0 != before } ?? false
        }
    }

    private func site(_ server: Server) throws -> String? {
        told(try HTTPResponse.get("/", at: server.http, host: "app.acme.test").body)["name"]
    }

    @Test func `has a server serve from its first second, without a control plane`() throws {
        let nginx = try Nginx("first", "second")
        let (fleet, server, path) = try fleet(to: nginx.first.endpoint)
        try fleet.cutOver(to: nginx.second.endpoint)
        // At its end at the latest it is the newest that is kept.
        try server.end()
        fleet.control.destroy()
        #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o600)
        try server.start()
        #expect(try site(server) == "second")
        try eventually("it is said") { server.log.contains("Serving with the snapshot that was kept") }
        try fleet.restartControl()
        try fleet.awaitServer("za1", "is back") {
            $0["connected"] == true && $0["appliedVersion"] == $0["currentVersion"]
        }
        try fleet.cutOver(to: nginx.first.endpoint)
        #expect(try site(server) == "first")
    }

    @Test func `after kill -9 it is there too, and is brought forward by what has changed since`() throws {
        let nginx = try Nginx("first", "second")
        let (fleet, server, path) = try fleet(to: nginx.first.endpoint)
        try awaitKept(path)
        try eventually("the service is in it") {
            String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self).contains(
                "app.acme.test")
        }
        try server.kill()
        try fleet.awaitServer("za1", "is away") { $0["connected"] != true }
        try fleet.api.grant("PATCH", "/services/acme-app", ["endpoint": nginx.second.endpoint.json])
        try server.start()
        try eventually("the change has arrived") { try site(server) == "second" }
    }

    @Test(arguments: ["damaged", "cut short", "of another server", "no image at all"])
    func `is not used when it cannot be trusted, and that is said`(fault: String) throws {
        let nginx = try Nginx("first")
        let (fleet, server, path) = try fleet(to: nginx.first.endpoint)
        try awaitKept(path)
        try server.end()
        fleet.control.destroy()
        var octets = FileManager.default.contents(atPath: path) ?? Data()
        switch fault {
        case "damaged": octets[octets.count / 2] ^= 1
        case "cut short": octets.removeLast(7)
        case "no image at all": octets = Data("hello".utf8)
        default: break
        }
        try octets.write(to: URL(fileURLWithPath: path))
        let other = fault == "of another server" ? "ie1" : "za1"
        let again = try Server(other, channel: fleet.channel, flags: ["--snapshot-cache", path])
        try again.launch()
        try eventually("it says so: \(again.log)") { again.log.contains("A kept snapshot cannot be used") }
        try eventually("it waits") { (try? HTTPResponse.get("/readyz", at: again.admin))?.status == 503 }
        #expect((try? TCPConnection(to: again.http)) == nil)
    }
}
