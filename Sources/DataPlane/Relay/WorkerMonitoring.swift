import Domain
import Routing
import Syscalls

/// Who is let through to the monitor endpoint.
extension Worker {
    /// Whether a flow may go on to the monitor endpoint. One that may not is ended here, before a connection to the
    /// responder is made for it.
    mutating func passesMonitorGate(_ flow: FlowIndex) -> Bool {
        guard let caller = clientAddress(of: flow)?.address else {
            close(flow)  // it has gone: it has no address any more
            return false
        }
        switch gate.admit(caller, isFleet: view.isFleet(caller), now: now) {
        case .admitted(let pass):
            flows[flow].monitorPass = pass
            return true
        case .refused(let refusal):
            note(.monitorRefused, flow: flow) { _ in
                refusal == .address
                    ? "its address has as many connections as one may have" : "all callers of its kind have the room"
            }
            guard flows[flow].isHTTP, gate.explains(now: now) else {
                // By TLS there are no words for it that are worth a handshake.
                close(flow, reset: true)
                return false
            }
            answer(flow, .tooManyRequests)
            return false
        }
    }

    /// Gives back what the gate keeps for a flow to the monitor endpoint.
    mutating func leaveMonitorGate(_ flow: FlowIndex) {
        guard flows[flow].monitorPass.exists else { return }
        gate.left(flows[flow].monitorPass)
        flows[flow].monitorPass = .none
    }
}
