import Daemon
import Domain
import Logging
import Syscalls

/// The way of established flows from one process of this server to the next, across a restart or an upgrade.
///
///     old process ──image──▶ a file in memory  ─┐
///                 ──descriptors, in flight──▶ a pair of sockets ─┴─ both held by systemd's descriptor store ──▶ new process
///
/// The store itself would take seconds for thousands of descriptors; three are all that it gets.
enum FlowParking {
    static let names = ["parked-flows", "parked-receiver", "parked-sender"]
    /// 1 GiB: 8,000 flows with a full pipe each would not fit, and are not there: a worker lends few pipes at a time.
    private static let longestImage = 1 << 30

    // MARK: Leaving

    /// Hands flows to the service manager, with the name of each one's service. Returns when it has them.
    static func park(_ flows: [DepartingFlow], names services: [Int32: String], logger: Logger) {
        guard !flows.isEmpty else { return }
        do {
            var records: [(flow: ParkedFlow, descriptors: Int)] = []
            var descriptors: [Int32] = []
            for departing in flows {
                var flow = departing.flow
                flow.service = services[departing.service] ?? ""
                let own = departing.endpoint.exists ? [departing.client, departing.endpoint] : [departing.client]
                records.append((flow, own.count))
                descriptors += own.map(\.number)
            }
            let image = try File.inMemory(named: "ddirect-parked-flows", ParkedFlows.octets(of: records))
            let flight = try Flight()
            let sent = flight.send(descriptors)
            for (name, number) in zip(names, [image.number, flight.receiver.number, flight.sender.number]) {
                Notify.forget(name)
                Notify.keep(number, as: name)
            }
            Notify.awaitTaken()
            logger.notice("Flows wait for the next process", metadata: ["flows": "\(flows.count)"])
            if sent < descriptors.count {
                logger.error(
                    "The kernel keeps no more descriptors in flight; the flows beyond are cut",
                    metadata: ["descriptors": "\(descriptors.count)", "kept": "\(sent)"])
            }
        } catch {
            logger.error(
                "Flows could not be kept for the next process, and are cut",
                metadata: ["flows": "\(flows.count)", "reason": "\(error)"])
        }
    }

    // MARK: Arriving

    /// A flow that has arrived, before anybody knows the slot of its service.
    struct Arrival: Sendable {
        let flow: ParkedFlow
        let client: Socket
        let endpoint: Socket
    }

    /// Takes the flows that an earlier process has parked. What cannot be read is closed, and that is said.
    static func take(_ passed: [PassedSocket], logger: Logger) -> [Arrival] {
        let parts = names.map { name in passed.last { $0.name == name } }
        defer {
            for socket in passed where names.contains(socket.name) { _ = OwnedDescriptor(owning: socket.number) }
            for (name, part) in zip(names, parts) where part != nil { Notify.forget(name) }
        }
        guard let image = parts[0], let receiver = parts[1] else { return [] }
        do {
            var descriptors = try Flight.receive(at: receiver.number)[...]
            let records: [ParkedFlows.Record]
            do {
                records = try ParkedFlows.records(in: try File.contents(of: image.number, atMost: longestImage))
            } catch {
                for descriptor in descriptors { Socket(number: descriptor).reset() }
                throw error
            }
            var arrivals: [Arrival] = []
            var unread = 0
            for record in records {
                guard record.descriptors <= descriptors.count else {
                    unread += 1
                    continue
                }
                let own = descriptors.prefix(record.descriptors).map { Socket(number: $0) }
                descriptors = descriptors.dropFirst(record.descriptors)
                guard let flow = record.flow, let client = own.first, own.count == (flow.stage == .relaying ? 2 : 1)
                else {
                    unread += 1
                    for socket in own { socket.reset() }
                    continue
                }
                arrivals.append(Arrival(flow: flow, client: client, endpoint: own.count == 2 ? own[1] : .none))
            }
            logger.notice("Going on with flows of the last process", metadata: ["flows": "\(arrivals.count)"])
            if unread > 0 {
                logger.error("Parked flows that cannot be gone on with were cut", metadata: ["flows": "\(unread)"])
            }
            return arrivals
        } catch {
            logger.error("Parked flows cannot be used, and were cut", metadata: ["reason": "\(error)"])
            return []
        }
    }
}
