import Domain

extension Snapshot {
    /// The endpoint policy as this machine holds to it: its own addresses are the fleet's, whether the control plane
    /// knows of them or not, as a connection to one of them would come back to us.
    func policyInForce(on machine: Set<Address>) -> EndpointPolicy {
        let policy = settings.policy
        return EndpointPolicy(exceptions: policy.exceptions, fleet: policy.fleet.union(machine))
    }
}
