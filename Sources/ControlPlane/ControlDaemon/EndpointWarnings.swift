import Domain
import Fleet
import Logging

extension FleetState {
    /// As many lines as one reads at a start.
    private static let mostWarnings = 20

    /// Tells whoever starts the control plane of endpoints that no service could be given now.
    func warn(ofEndpointsAgainst exceptions: [Prefix], _ ports: EndpointPorts, _ logger: Logger) {
        let policy = EndpointPolicy(exceptions: exceptions)
        let found = standingEndpoints(against: policy, ports)
        for endpoint in found.prefix(FleetState.mostWarnings) {
            logger.warning(
                endpoint.isRefused
                    ? "A service has an endpoint that its servers refuse to connect to"
                    : "A service keeps an endpoint that no other could be given",
                metadata: [
                    "service": "\(endpoint.service)", "endpoint": "\(endpoint.target.host)",
                    "reason": "\(endpoint.reason)",
                ])
        }
        if found.count > FleetState.mostWarnings {
            logger.warning(
                "More services have endpoints that could not be given to them now",
                metadata: ["number": "\(found.count - FleetState.mostWarnings)"])
        }
    }
}
