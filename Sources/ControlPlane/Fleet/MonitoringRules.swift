import Domain

extension Rules {
    /// Whether a server's own settings go with the fleet's.
    func violations(of monitoring: MonitoringOverrides) -> [Violation] {
        do {
            _ = try monitoring.resolved(over: fleet.settings.monitoring)
            return []
        } catch {
            // Each number is in its range; what is left to be wrong is a timeout of its own that is longer than the
            // interval.
            return [.invalid("/monitoring/timeoutSeconds", "\(error).")]
        }
    }

    /// Whether every server's own settings go with these. Those that the proposal changes are asked themselves.
    func violations(of settings: FleetSettings) -> [Violation] {
        var strangers: [ServerName] = []
        for server in fleet.untouchedServers {
            do {
                _ = try server.monitoring.resolved(over: settings.monitoring)
            } catch {
                strangers.append(server.name)
            }
        }
        guard !strangers.isEmpty else { return [] }
        let named = strangers.sorted().prefix(3).map(\.text).joined(separator: ", ")
        return [
            .conflict(
                "/monitoring/intervalSeconds",
                "\(settings.monitoring.interval) s is shorter than the timeout that is set for "
                    + (strangers.count == 1 ? "server " : "servers ") + named
                    + (strangers.count > 3 ? " and others" : "") + "; expected an interval that is no shorter."
            )
        ]
    }
}
