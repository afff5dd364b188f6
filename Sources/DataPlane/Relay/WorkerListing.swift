import Domain
import Syscalls

/// Open flows, shown to an operator who asks.
///
/// A worker looks through its flows a slice at a time, and serves everybody else between two slices. So a list is no
/// picture of one moment: a flow that opens or closes meanwhile may be in it or not.
extension Worker {
    /// Places that are looked at between two rounds of events: about a tenth of a millisecond.
    private static var placesPerSlice: Int32 { 8192 }
    /// Clients that the kernel is asked for in a slice, which takes about as long.
    private static var clientsPerSlice: Int { 256 }

    /// Goes on with a search for one slice, or answers it when every place has been looked at.
    func list(_ search: FlowSearch) {
        guard now < search.deadline else { return }
        guard search.position < places.used else { return answer(search) }
        var search = search
        look(&search)
        plan.mailbox.post(.list(search))
    }

    private func look(_ search: inout FlowSearch) {
        let end = min(search.position &+ Worker.placesPerSlice, places.used)
        var asked = 0
        while search.position < end, asked < Worker.clientsPerSlice {
            let flow = FlowIndex(search.position)
            search.position &+= 1
            guard flows[flow].stage != .free else { continue }
            if let service = search.service, flows[flow].service != service { continue }
            if let prefix = search.client {
                asked &+= 1
                guard let client = clientAddress(of: flow), prefix.contains(client.address) else { continue }
            }
            search.matching &+= 1
            search.oldest.see(
                OldestFlows.Sighting(
                    flow: flow, generation: halves[flow.client].generation, openedAt: flows[flow].openedAt))
        }
    }

    /// Only now the kernel is asked for the addresses, and only for those of flows that are listed: three for each of a
    /// thousand flows at most, which takes about a millisecond.
    private func answer(_ search: FlowSearch) {
        var search = search
        let oldest = search.oldest.inOrder()
        var found: [FoundFlow] = []
        for sighting in oldest {
            // It may have closed since, and another one have its place.
            guard halves[sighting.flow.client].generation == sighting.generation,
                let flow = describe(sighting.flow)
            else { continue }
            found.append(flow)
        }
        let closed = UInt64(oldest.count - found.count)
        search.answers.post(
            FlowFindings(
                search: search.number, worker: plan.index, matching: search.matching &- closed, flows: found))
    }

    private func describe(_ flow: FlowIndex) -> FoundFlow? {
        let record = flows[flow]
        let stage: OpenFlow.Stage
        switch record.stage {
        case .free: return nil
        case .opening: stage = .opening
        case .dialling: stage = .dialling
        case .relaying: stage = .relaying
        case .lingering: stage = .lingering
        }
        var found = FoundFlow(service: record.service, isHTTP: record.isHTTP, stage: stage)
        found.client = clientAddress(of: flow)
        found.called =
            record.hasAssertedAddresses ? asserted[flow].destination : halves[flow.client].socket.localAddress
        if stage == .relaying || stage == .lingering, halves[flow.endpoint].socket.exists {
            found.endpoint = halves[flow.endpoint].socket.peerAddress
        }
        // Once it is connected nobody remembers which target it was.
        if stage == .dialling, record.dial.exists, record.service != ServiceSlot.monitor {
            found.target = Int(place(record.dial))
        }
        found.bytesUp = record.bytesUp
        found.bytesDown = record.bytesDown
        found.age = UInt64(tick &- record.openedAt) &* Worker.tickMilliseconds
        found.idle = UInt64(tick &- record.lastActive) &* Worker.tickMilliseconds
        return found
    }
}
