import Syscalls

/// Everything that `/metrics` says, at one moment.
struct Metrics {
    let status: Status
    let workers: [WorkerCounters]
    var queues = ListenQueues()
    let buildVersion: String
    /// Nanoseconds since 1970.
    let startTime: UInt64

    /// Names no service can have: those have no underscore.
    private static let builtIn: [(slot: Int32, label: String)] = [
        (ServiceSlot.unrouted, "_unrouted"), (ServiceSlot.monitor, "_monitor"),
    ]

    /// Responses of plain HTTP, by whose they are and the class of their status.
    private static let responses: [(counter: ServiceCounter, labels: MetricLabels)] = [
        (.responses1xx, ["from": "endpoint", "class": "1xx"]), (.responses2xx, ["from": "endpoint", "class": "2xx"]),
        (.responses3xx, ["from": "endpoint", "class": "3xx"]), (.responses4xx, ["from": "endpoint", "class": "4xx"]),
        (.responses5xx, ["from": "endpoint", "class": "5xx"]), (.answers2xx, ["from": "server", "class": "2xx"]),
        (.answers4xx, ["from": "server", "class": "4xx"]), (.answers5xx, ["from": "server", "class": "5xx"]),
    ]

    private static let incidents = Incident.allCases.map { ["incident": $0.label] as MetricLabels }

    func rendered() -> [UInt8] {
        var text = MetricsText()
        process(into: &text)
        snapshot(into: &text)
        relay(into: &text)
        listeners(into: &text)
        flowLog(into: &text)
        monitor(into: &text)
        names(into: &text)
        health(into: &text)
        services(into: &text)
        return text.bytes
    }

    private func process(into text: inout MetricsText) {
        text.metric("ddirect_build_info", .gauge, "The release that runs, as a label; always 1.")
        text.sample(1, ["version": buildVersion])
        text.metric("process_start_time_seconds", .gauge, "When this process started, in seconds since 1970.")
        text.sample(seconds: startTime)
        text.metric("ddirect_state", .gauge, "1 for the state that this server is in, 0 for the others.")
        for stage in Status.Stage.allCases { text.sample(stage == status.stage ? 1 : 0, ["state": stage.rawValue]) }
        text.metric(
            "ddirect_threads_ailing", .gauge, "Threads that have ended or make no progress; /healthz names them.")
        text.sample(UInt64(clamping: status.ailments.count))
        text.metric(
            "ddirect_log_lines_lost_total", .counter,
            "Lines of the log that were lost, as their reader did not take them."
        )
        text.sample(status.logLinesLost)
    }

    private func snapshot(into text: inout MetricsText) {
        text.metric("ddirect_control_plane_connected", .gauge, "1 while the channel to the control plane is open.")
        text.sample(status.isConnected ? 1 : 0)
        if let applied = status.applied {
            text.metric("ddirect_snapshot_version", .gauge, "The version of the snapshot that traffic is routed by.")
            text.sample(applied.version.number)
            text.metric("ddirect_snapshot_info", .gauge, "Whose snapshot is applied, and of which store; always 1.")
            text.sample(
                1,
                [
                    "server": status.server.text, "region": applied.region.text, "hostname": applied.hostname.text,
                    "incarnation": applied.incarnation.description,
                ])
        }
        text.metric(
            "ddirect_snapshots_refused_total", .counter, "Snapshots that were refused; the one applied before stayed.")
        text.sample(status.refusals)
        if let refused = status.refused {
            text.metric(
                "ddirect_snapshot_refused_version", .gauge,
                "The version last refused; absent once another has been applied.")
            text.sample(refused.version.number)
        }
        text.metric("ddirect_services", .gauge, "Services that this server carries.")
        text.sample(UInt64(clamping: status.services.count))
    }

    private func relay(into text: inout MetricsText) {
        let labels = workers.indices.map { ["worker": String($0)] as MetricLabels }
        func perWorker(_ name: String, _ kind: MetricsText.Kind, _ help: String, _ value: (WorkerCounters) -> UInt64) {
            text.metric(name, kind, help)
            for (index, worker) in workers.enumerated() { text.sample(value(worker), labels[index]) }
        }
        func histogram(_ timing: Timing, _ name: String, _ help: String) {
            var counts = [UInt64](repeating: 0, count: Timing.bounds.count + 1)
            for worker in workers { for (place, count) in worker.read(timing).enumerated() { counts[place] &+= count } }
            text.histogram(name, help, bounds: Timing.bounds, counts, sum: workers.sum(timing))
        }
        perWorker("ddirect_worker_accepted_total", .counter, "Connections that a worker has accepted.") {
            $0.read(.accepted)
        }
        perWorker("ddirect_worker_flows_open", .gauge, "Flows that a worker has open.") { worker in
            // The later reading first, or a flow that opens and closes in between would make fewer than none.
            let closed = worker.read(.flowsClosed)
            return worker.read(.flowsOpened).saturatingDifference(closed)
        }
        perWorker("ddirect_worker_rounds_total", .counter, "Rounds of a worker's loop: its pulse.") { $0.read(.rounds) }
        perWorker(
            "ddirect_worker_spliced_bytes_total", .counter, "Bytes that were relayed without entering the process."
        ) {
            $0.read(.bytesSpliced)
        }
        perWorker("ddirect_worker_copied_bytes_total", .counter, "Bytes that were relayed through a worker's memory.") {
            $0.read(.bytesCopied)
        }
        perWorker("ddirect_worker_buffered_bytes", .gauge, "Memory lent to hellos, heads and slow peers.") {
            $0.read(.bytesBuffered)
        }
        perWorker(
            "ddirect_worker_clients_untracked_total", .counter,
            "Connections of clients that were not counted, and so not limited, as the table of clients had no place for them."
        ) { $0.read(.clientsUntracked) }
        text.metric(
            "ddirect_worker_pipes", .gauge,
            "Pipes of a worker: those that large transfers go through, and empty ones that are kept.")
        for (index, worker) in workers.enumerated() {
            text.sample(worker.read(.pipesLent), labels[index], ["state": "lent"])
            text.sample(worker.read(.pipesIdle), labels[index], ["state": "idle"])
        }
        perWorker(
            "ddirect_worker_pipes_refused_total", .counter,
            "Pipes that the kernel has refused or made too small; the transfers were copied instead, at a higher cost."
        ) {
            $0.read(.pipesRefused)
        }
        perWorker(
            "ddirect_worker_dials_open", .gauge, "Flows of a worker that no endpoint has accepted yet, a moment ago."
        ) { $0.read(.dialsUnderWay) }
        histogram(.connect, "ddirect_connect_seconds", "From the decision to dial until an endpoint had accepted.")
        histogram(.firstByte, "ddirect_first_byte_seconds", "From then until its first byte was passed on.")
        text.metric(
            "ddirect_incidents_total", .counter, "What went otherwise than a client, an endpoint or an operator wished."
        )
        for incident in Incident.allCases { text.sample(workers.sum(incident), ["incident": incident.label]) }
    }

    private func listeners(into text: inout MetricsText) {
        text.metric(
            "ddirect_listener_queue_connections", .gauge, "Connections that wait to be accepted, and how many may.")
        for queue in queues.queues {
            let listener: MetricLabels = ["listener": queue.listener]
            text.sample(UInt64(queue.waiting), listener, ["is": "waiting"])
            text.sample(UInt64(queue.limit), listener, ["is": "limit"])
        }
        guard let overflows = queues.overflows else { return }
        text.metric(
            "ddirect_host_listen_overflows_total", .counter,
            "Connections that the kernel has dropped as a listener's queue was full: of any program in this network namespace."
        )
        text.sample(overflows)
    }

    private func flowLog(into text: inout MetricsText) {
        text.metric(
            "ddirect_flow_log_lines_total", .counter,
            "Lines of the flow log: written, lost as nobody took them, and lost as they came faster than they were taken."
        )
        text.sample(status.flowLog.linesWritten, ["outcome": "written"])
        text.sample(status.flowLog.linesLost, ["outcome": "refused"])
        text.sample(workers.sum(.flowRecordsLost), ["outcome": "overflowed"])
    }

    private func monitor(into text: inout MetricsText) {
        text.metric(
            "ddirect_monitor_callers_refused_total", .counter,
            "Callers of the monitor endpoint that had passed the gate, and for whom there was no room.")
        text.sample(status.monitor.callersRefused)
        text.metric(
            "ddirect_monitor_proofs_total", .counter,
            "Tokens of probes, by whether they were taken; refused are those that are not genuine, too old or new, or shown before."
        )
        text.sample(status.monitor.proofsTaken, ["outcome": "taken"])
        text.sample(status.monitor.proofsRefused, ["outcome": "refused"])
    }

    private func health(into text: inout MetricsText) {
        text.metric(
            "ddirect_endpoint_checks_total", .counter,
            "Checks of endpoints and fallbacks; untold are those that this process could not make properly.")
        text.sample(status.health.passed, ["outcome": "passed"])
        text.sample(status.health.failed, ["outcome": "failed"])
        text.sample(status.health.untold, ["outcome": "untold"])
        guard !status.health.services.isEmpty else { return }
        func perTarget(_ name: String, _ help: String, _ value: (ServiceHealth, Int) -> Bool) {
            text.metric(name, .gauge, help)
            for service in status.health.services {
                for (index, target) in service.targets.enumerated() {
                    text.sample(
                        value(service, index) ? 1 : 0, ["service": service.service, "target": target.name])
                }
            }
        }
        perTarget(
            "ddirect_endpoint_target_healthy", "1 for a target that is healthy by its checks, 0 for one that is not."
        ) {
            $0.targets[$1].isHealthy
        }
        perTarget(
            "ddirect_endpoint_target_preferred", "1 for the target that new connections go to first, 0 for the others."
        ) {
            $0.preferred == $1
        }
    }

    // MARK: Services

    /// One service that something was counted for, and its counts since its baseline.
    private struct Count {
        let labels: MetricLabels
        let values: [UInt64]
        /// By `Incident`; empty when there was none.
        let incidents: [UInt64]

        subscript(_ counter: ServiceCounter) -> UInt64 { values[counter.rawValue] }
    }

    private func services(into text: inout MetricsText) {
        var counts = Metrics.builtIn.compactMap { count(slot: $0.slot, name: $0.label, baseline: []) }
        for tenant in status.services {
            if let count = count(slot: tenant.slot, name: tenant.name, baseline: tenant.baseline) {
                counts.append(count)
            }
        }
        let rest = "A service for which nothing was ever counted is left out."
        text.metric("ddirect_service_bytes_total", .counter, "Payload from devices (up) and to them (down). \(rest)")
        let up: MetricLabels = ["direction": "up"]
        let down: MetricLabels = ["direction": "down"]
        for count in counts {
            text.sample(count[.bytesUp], count.labels, up)
            text.sample(count[.bytesDown], count.labels, down)
        }
        text.metric("ddirect_service_connections_open", .gauge, "Connections that are open. \(rest)")
        for count in counts {
            text.sample(
                (count[.connectionsOpened] &+ count[.connectionsAdopted]).saturatingDifference(
                    count[.connectionsClosed]), count.labels)
        }
        func perService(_ name: String, _ counter: ServiceCounter, _ help: String) {
            text.metric(name, .counter, "\(help) \(rest)")
            for count in counts { text.sample(count[counter], count.labels) }
        }
        perService("ddirect_service_connections_total", .connectionsOpened, "Connections of devices.")
        perService(
            "ddirect_service_connect_failures_total", .connectFailures,
            "Connections for which neither the endpoint nor a fallback could be connected to.")
        perService(
            "ddirect_service_addresses_forbidden_total", .addressesForbidden,
            "Addresses that the endpoint policy forbade at the moment of dialling.")
        perService("ddirect_service_requests_total", .requests, "Requests of plain HTTP.")
        text.metric(
            "ddirect_service_responses_total", .counter,
            "Responses of plain HTTP, by whose they are and the class of their status. What never was is left out.")
        for count in counts {
            for (counter, labels) in Metrics.responses where count[counter] > 0 {
                text.sample(count[counter], count.labels, labels)
            }
        }
        text.metric(
            "ddirect_service_incidents_total", .counter,
            "Incidents that befell a service's connections or that it has brought about; _unrouted has those without a service. What never was is left out."
        )
        for count in counts {
            for (place, incident) in count.incidents.enumerated() where incident > 0 {
                text.sample(incident, count.labels, Metrics.incidents[place])
            }
        }
        func times(_ name: String, _ sum: ServiceCounter, _ number: ServiceCounter, _ help: String) {
            text.metric(name, .summary, "\(help) \(rest)")
            for count in counts where count[number] > 0 {
                text.sample(milliseconds: count[sum], count.labels, suffix: "_sum")
                text.sample(count[number], count.labels, suffix: "_count")
            }
        }
        times(
            "ddirect_service_connect_seconds", .connectMilliseconds, .connects,
            "From the decision to dial until an endpoint or a fallback had accepted.")
        times(
            "ddirect_service_first_byte_seconds", .firstByteMilliseconds, .firstBytes,
            "From then until its first byte was passed on.")
        perService("ddirect_service_fallbacks_used_total", .fallbacksUsed, "Connections that a fallback took.")
    }

    private func count(slot: Int32, name: String, baseline: [UInt64]) -> Count? {
        // Backwards, so that a closed connection is never seen without its opening.
        var values = [UInt64](repeating: 0, count: ServiceCounter.allCases.count)
        for counter in ServiceCounter.allCases.reversed() {
            let total = workers.sum(counter, service: slot)
            values[counter.rawValue] =
                counter.rawValue < baseline.count ? total.saturatingDifference(baseline[counter.rawValue]) : total
        }
        guard values.contains(where: { $0 > 0 }) else { return nil }
        var incidents: [UInt64] = []
        if values[ServiceCounter.incidents.rawValue] > 0 {
            let former = baseline.dropFirst(ServiceCounter.allCases.count)
            incidents = Incident.allCases.map { workers.sum($0, service: slot) }
            for (place, before) in zip(incidents.indices, former) {
                incidents[place] = incidents[place].saturatingDifference(before)
            }
        }
        return Count(labels: ["service": name], values: values, incidents: incidents)
    }
}

extension UInt64 {
    /// The difference, or 0 when it would be negative.
    func saturatingDifference(_ other: UInt64) -> UInt64 { self > other ? self - other : 0 }
}
