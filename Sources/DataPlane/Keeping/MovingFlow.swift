import Syscalls

/// A flow between two processes, with its descriptors, which are whoever's it is to close.
struct MovingFlow: Sendable {
    var flow: ParkedFlow
    let client: Socket
    /// None for a flow that has no endpoint yet.
    let endpoint: Socket
    /// The slot of its service, in the process that has it now.
    var slot = ServiceSlot.unrouted

    var sockets: [Socket] { endpoint.exists ? [client, endpoint] : [client] }
}
