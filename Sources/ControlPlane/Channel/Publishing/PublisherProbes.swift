package import Domain
import Fleet
import Logging
package import Probing
import Wire

/// What a data plane is asked to probe.
struct WatchList: Sendable {
    let targets: [ProbeTarget]
    /// The services that are checked through each of its servers.
    private let services: [ServerName: Set<ServiceName>]

    init(_ targets: [ProbeTarget]) {
        self.targets = targets
        services = targets.reduce(into: [:]) { $0[$1.server] = Set($1.checks.map(\.service)) }
    }

    /// Whether a probe is one that was asked for.
    func names(_ server: ServerName, _ service: ServiceName?) -> Bool {
        guard let services = services[server] else { return false }
        return service.map { services.contains($0) } ?? true
    }
}

/// Where what data planes see goes. Each stream is for one reader; when that does not keep up, the newest is kept.
struct VantageReports: Sendable {
    let probes: AsyncStream<ProbeOutcome>
    let traffic: AsyncStream<ServiceTraffic>
    fileprivate let probe: AsyncStream<ProbeOutcome>.Continuation
    fileprivate let arrival: AsyncStream<ServiceTraffic>.Continuation

    private static let mostWaiting = 8192

    init() {
        (probes, probe) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(VantageReports.mostWaiting))
        (traffic, arrival) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(VantageReports.mostWaiting))
    }
}

/// Data planes as vantages: what each is asked to probe, and what it has seen.
extension SnapshotPublisher {
    /// How the rounds that data planes make on our behalf ended; for one reader.
    package nonisolated var probes: AsyncStream<ProbeOutcome> { reports.probes }

    /// New connections of services, from the servers that took them; for one reader.
    package nonisolated var traffic: AsyncStream<ServiceTraffic> { reports.traffic }

    /// The servers whose data planes can be asked.
    package var connectedServers: Set<ServerName> { Set(sessionOfServer.keys) }

    /// What each data plane is to probe from now on. It is told at the start of each session, and when its list has
    /// changed, and then the newest list alone.
    package func watch(_ targets: [ServerName: [ProbeTarget]]) {
        let before = watchLists
        watchLists = targets.compactMapValues { $0.isEmpty ? nil : WatchList($0) }
        for (server, id) in sessionOfServer where before[server]?.targets != watchLists[server]?.targets {
            sendWatchList(to: id)
        }
    }

    /// A session has begun, and with it a life without a list.
    func beganWatching(_ id: SessionID, of server: ServerName) {
        if watchLists[server] != nil { sendWatchList(to: id) }
    }

    private func sendWatchList(to id: SessionID) {
        sessions[id]?.watchDue = true
        sessions[id]?.wakeUp.yield()
    }

    /// The list did not fit into a frame, which no fleet should see.
    func notWatched(_ id: SessionID, because error: FrameError) {
        logger.error(
            "A data plane cannot be told what to probe, and goes on with what it was told before",
            metadata: ["server": "\(sessions[id]?.server?.text ?? "unknown")", "error": "\(error)"])
    }

    // MARK: What data planes see

    /// Passes on what a data plane saw of those that it was asked to probe: each is one voice, of others and of nothing
    /// else.
    func receive(_ probes: [WireProbe], from vantage: ServerName) {
        let now = clock.now
        guard let list = watchLists[vantage] else { return }
        for probe in probes {
            let server = ServerName(checked: probe.server)
            let service = probe.service.isEmpty ? nil : ServiceName(checked: probe.service)
            // What a peer names and nobody knows would be kept for ever.
            guard list.names(server, service), builder.knows(server),
                service.map({ builder.fleet.services[$0] != nil }) ?? true
            else { continue }
            reports.probe.yield(
                ProbeOutcome(
                    server: server, service: service, vantage: .server(vantage),
                    error: probe.error.isEmpty ? nil : probe.error, accepted: probe.accepted,
                    duration: .boundedMicroseconds(probe.durationMicroseconds), at: now))
        }
    }

    /// Whether a server is known to carry traffic now, by what its own session says.
    package func isCarrying(_ server: ServerName) -> Bool {
        guard let id = sessionOfServer[server], let heard = sessions[id]?.machine.lastHeard else { return false }
        return carrying[server]?.isCarrying(heard: heard, at: clock.now) ?? false
    }

    func receive(_ connections: [WireServiceConnections], of server: ServerName) {
        let now = clock.now
        for report in connections where report.opened > 0 {
            let service = ServiceName(checked: report.service)
            guard builder.fleet.services[service] != nil else { continue }
            reports.arrival.yield(
                ServiceTraffic(
                    server: server, service: service, opened: min(report.opened, ServiceTraffic.most), at: now))
        }
    }
}
