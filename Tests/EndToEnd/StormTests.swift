import Foundation
import Glibc
import Testing

/// All data planes of a large fleet at once: after an outage of the control plane they are all back, and it does not
/// choke on them. How soon they are back is printed here; `make bench` holds that, with the release build.
@Suite(.load, .serialized) struct `A storm of reconnections` {
    private static let count = 500
    /// Of the control plane's process, at its worst.
    private static let mostMemory = 512 << 20

    /// The fleet, and the process that plays all of its servers.
    private final class Storm {
        let fleet: Fleet
        private let peers: Program

        init() throws {
            let channel = try TCPChannel()
            let fleet = try Fleet(flags: channel.flags)
            // Nobody plays the monitor endpoints, and a fleet that is dead costs more probes than one that is well.
            try fleet.api.grant(
                "PATCH", "/settings", ["monitoring": ["intervalSeconds": 3600, "timeoutSeconds": 1]])
            let tokens = try (1...count).map { number in
                let name = "storm-\(number)"
                try fleet.api.grant(
                    "POST", "/servers",
                    [
                        "name": .string(name), "region": "af-south-1", "hostname": .string("\(name).dfree.test"),
                        "addresses": [.string(Loopback.fresh())],
                    ])
                return try "\(name) \(fleet.permitEnrollment(of: name).token)\n"
            }
            let scene = try Scene.present()
            let file = scene.path("tokens")
            try write(tokens.joined(), to: file)
            let peers = try Program(
                "python3",
                [
                    ChannelPeer.script, "\(channel.place)", "--authority", channel.authority, "--into",
                    scene.path("identities"), "storm=\(file)",
                ], name: "storm")
            (self.fleet, self.peers) = (fleet, peers)
            try eventually("each has had its snapshot; it says: \(peers.log)") {
                guard peers.isRunning else { throw Failure("the storm has ended: \(peers.log)") }
                return peers.log.contains("\"ready\"")
            }
            print("storm: \(peers.log.split(separator: "\n").joined(separator: " "))")
        }

        /// Since when each server has had its session that has one, by its name.
        var sessions: [String: String] {
            get throws {
                var sessions: [String: String] = [:]
                var path = "/servers?limit=1000"
                while true {
                    let page = try fleet.api.grant("GET", path).body
                    for server in page["items"].items where server["connected"] == true {
                        sessions[server["name"].text ?? ""] = server["connectedSince"].text
                    }
                    guard let next = page["next"].text else { return sessions }
                    path = "/servers?limit=1000&cursor=\(next)"
                }
            }
        }

        /// How many servers have a session. To ask for the whole list ten times a second would be a load of its own.
        var connected: Int { get throws { try fleet.metric("ddirect_control_servers_connected") } }

        /// Waits until all sessions are there and none of them is of `former`, and says how long that took from now on.
        func awaitAll(after event: String, former: [String: String] = [:]) throws {
            let began = now()
            var seen = 0
            do {
                try eventually("all are back", every: .milliseconds(100)) {
                    seen = try connected
                    guard seen == count, !former.isEmpty else { return seen == count }
                    seen = try sessions.count { former[$0.key] != $0.value }
                    return seen == count
                }
            } catch {
                throw Failure("\(error), but \(seen); the control plane says: \(fleet.control.log.suffix(3000))")
            }
            let took = now() - began
            let (most, present) = (fleet.control.peakMemory, fleet.control.residentMemory)
            print(
                "figure: \(count) sessions are back \(took.milliseconds) ms after \(event); the control plane has "
                    + "\(present >> 20) MB, and had \(most >> 20) MB at most")
            #expect(most < mostMemory)
            #expect(present < mostMemory)
        }

        /// Ends it, and tells what it saw.
        func end() throws {
            peers.signal(SIGTERM)
            try peers.waitForEnd()
            print("storm: \(peers.log.split(separator: "\n").last ?? "")")
        }
    }

    @Test func `500 sessions are all back after a crash, a restart and a hang, and stay`() throws {
        let storm = try Storm()
        try storm.awaitAll(after: "the beginning")
        storm.fleet.control.destroy()
        // Long enough for all to try often, and to pause for as long as they ever do.
        pause(.seconds(8))
        try storm.fleet.restartControl()
        try storm.awaitAll(after: "a crash and eight seconds")
        storm.fleet.control.signal(SIGTERM)
        try storm.fleet.control.waitForEnd()
        try storm.fleet.restartControl()
        try storm.awaitAll(after: "a restart")
        // Those that have them end them themselves: it has been silent for too long.
        let before = try storm.sessions
        storm.fleet.control.signal(SIGSTOP)
        pause(.seconds(5))
        storm.fleet.control.signal(SIGCONT)
        try storm.awaitAll(after: "a hang of five seconds", former: before)
        try eventually("whoever is there is there to stay") {
            let there = try storm.sessions
            pause(.seconds(4))
            return try there.count == Self.count && storm.sessions == there
        }
        try storm.end()
    }
}
