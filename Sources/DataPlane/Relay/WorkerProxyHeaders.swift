import Domain
import Routing
import Syscalls

/// PROXY headers: read from trusted senders, and put before what a client says to an endpoint that wants one.
extension Worker {
    /// Reads a trusted sender's header at `offset` of `buffer`: how many bytes it took, 0 when it is not whole, or nil
    /// when the flow was closed.
    mutating func readProxyHeader(_ flow: FlowIndex, _ buffer: Buffer, _ offset: Int, _ count: Int) -> Int? {
        switch buffer.withSpan(offset, count, { ProxyHeader.inspect($0) }) {
        case .incomplete:
            return 0
        case .malformed:
            note(.proxyHeaderRefused, flow: flow)
            close(flow, reset: true)
            return nil
        case .header(let header):
            flows[flow].awaitsProxyHeader = false
            flows[flow].awaited = 0
            if let source = header.source, let destination = header.destination {
                flows[flow].hasAssertedAddresses = true
                asserted[flow] = AssertedAddresses(source: source, destination: destination)
                guard arrive(flow, from: source.address) else { return nil }
            }
            return header.length
        }
    }

    /// Puts the PROXY header before what the client has said so far. False when the flow was closed.
    mutating func prependProxyHeader(_ flow: FlowIndex, _ version: RoutingTable.Route.ProxyVersion) -> Bool {
        let client = flow.client
        let called = flows[flow].hasAssertedAddresses ? asserted[flow].destination : halves[client].socket.localAddress
        guard let source = clientAddress(of: flow), let called else {
            close(flow)  // the client has gone: it has no address any more
            return false
        }
        let count = Int(halves[client].pendingCount)
        // What is behind the hello may fill a large buffer, and the hello alone may be longer.
        let buffer = borrow(count + ProxyHeader.longestWritten, for: flow)
        guard buffer.exists else {
            cutForMemory(flow)
            return false
        }
        let wire: SendProxyProtocol = version == .v1 ? .v1 : .v2
        let written = buffer.withMutableSpan(0, ProxyHeader.longestWritten) {
            ProxyHeader.write(wire, source: source, destination: called, into: &$0) ?? 0
        }
        if count > 0 {
            buffer.copy(count, from: halves[client].pending, at: Int(halves[client].pendingOffset), to: written)
        }
        if halves[client].pending.exists { buffers.give(&halves[client].pending) }
        halves[client].pending = buffer
        halves[client].pendingOffset = 0
        halves[client].pendingCount = Int32(written + count)
        return true
    }
}
