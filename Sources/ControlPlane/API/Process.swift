import Channel
import Failover
import Hummingbird
import Notices
import Store

/// What is asked about the daemon itself.
struct ProcessRoutes: Routes {
    let store: Store
    let publisher: SnapshotPublisher
    let failover: FailoverService
    let alerts: AlertQueue
    let counters: RequestCounters
    let document: OpenAPIDocument

    var operations: [Operation] {
        [
            .open(.get, "/healthz", .showHealth) { _ in
                Response(
                    status: .ok, headers: [.contentType: "text/plain"],
                    body: .init(byteBuffer: ByteBuffer(string: "ok\n")))
            },
            Operation(.get, "/metrics", needs: .readMetrics, .showMetrics) { try await showMetrics($0) },
            .open(.get, "/openapi.json", .showDocument) { _ in .json(text: document.text) },
            .open(.get, "/api/v1/openapi.json", .showDocumentOfVersion1) { _ in .json(text: document.text) },
        ]
    }

    private func showMetrics(_ request: APIRequest) async throws -> Response {
        let requests = counters.now
        let counts = store.counts
        let connected = await publisher.statuses().values.count { $0.connected }
        let overview = await failover.overview()
        var text = ""
        text += "# HELP ddirect_control_requests_total Requests answered, by the class of their status.\n"
        text += "# TYPE ddirect_control_requests_total counter\n"
        for (index, count) in requests.byClass.enumerated() {
            text += "ddirect_control_requests_total{class=\"\(index + 1)xx\"} \(count)\n"
        }
        var metrics: [(name: String, type: String, help: String, value: String)] = [
            ("request_seconds_total", "counter", "Time spent on answering requests.", "\(requests.seconds)"),
            ("version", "gauge", "The newest version.", "\(counts.version)"),
            ("customers", "gauge", "Customers there are.", "\(counts.customers)"),
            ("services", "gauge", "Services there are.", "\(counts.services)"),
            ("servers", "gauge", "Servers there are.", "\(counts.servers)"),
            ("zones", "gauge", "DNS zones there are.", "\(counts.zones)"),
            ("servers_connected", "gauge", "Servers whose session is up.", "\(connected)"),
            ("store_failures_total", "counter", "Times that the database failed.", "\(store.failures.withLock { $0 })"),
            ("servers_down", "gauge", "Servers that probes, or an operator, call down.", "\(overview.down)"),
            ("servers_failed_over", "gauge", "Servers whose services are elsewhere.", "\(overview.failedOver)"),
            (
                "standbys_unready", "gauge", "Standbys, of each service, that could not take over now.",
                "\(overview.readiness.standbys.values.count { !$0.isReady })"
            ),
            (
                "zones_unready", "gauge", "DNS zones that would not take a change now.",
                "\(overview.readiness.zones.values.count { !$0.isReady })"
            ),
            (
                "failover_holding", "gauge", "1 while most servers look down, so that nothing is moved.",
                overview.holding == nil ? "0" : "1"
            ),
            (
                "failover_frozen", "gauge", "1 while an operator has frozen the fleet.",
                overview.freeze == nil ? "0" : "1"
            ),
        ]
        // A database that fails has a metric of its own.
        if let waiting = try? await alerts.waiting() {
            metrics.append(("alerts_waiting", "gauge", "Alerts that webhooks have not taken yet.", "\(waiting)"))
        }
        for metric in metrics {
            let name = "ddirect_control_\(metric.name)"
            text += "# HELP \(name) \(metric.help)\n# TYPE \(name) \(metric.type)\n\(name) \(metric.value)\n"
        }
        let refusals = await publisher.refusals.counts
        text +=
            "# HELP ddirect_control_channel_refused_total Connections to the channel, and sessions, that were refused for what they did.\n"
        text += "# TYPE ddirect_control_channel_refused_total counter\n"
        for kind in ChannelRefusal.allCases {
            text += "ddirect_control_channel_refused_total{reason=\"\(kind.rawValue)\"} \(refusals[kind] ?? 0)\n"
        }
        return Response(
            status: .ok, headers: [.contentType: "text/plain; version=0.0.4"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }
}
