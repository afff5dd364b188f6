package import Domain

/// Endpoints that are in the configuration although no service could be given them now: they were, when another release
/// or other settings said what may be. Nothing is taken out of the configuration for that, but whoever starts the
/// control plane is told.
extension FleetState {
    package struct StandingEndpoint: Equatable {
        package let service: ServiceName
        package let target: EndpointTarget
        package let reason: String
        /// Whether its servers refuse to connect to it. Of a port they do not ask.
        package let isRefused: Bool
    }

    /// Those at an address that may not be, and those with a port that may not be, in the order of their services.
    package func standingEndpoints(against policy: EndpointPolicy, _ ports: EndpointPorts) -> [StandingEndpoint] {
        var found: [StandingEndpoint] = []
        for service in services.values {
            for target in service.carriage.endpoint.targets {
                if case .address(let address) = target.host, let refusal = policy.refusal(of: address) {
                    found.append(
                        StandingEndpoint(
                            service: service.name, target: target, reason: "\(address) \(refusal)", isRefused: true))
                }
                for port in [target.httpPort, target.httpsPort] where !ports.allows(port) {
                    found.append(
                        StandingEndpoint(
                            service: service.name, target: target,
                            reason:
                                "port \(port) is not \(EndpointPorts.standard), nor excepted (--allow-endpoint-port)",
                            isRefused: false))
                }
            }
        }
        return found.sorted { $0.service.text < $1.service.text }
    }
}
