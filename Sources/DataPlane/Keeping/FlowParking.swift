import Daemon
import Domain
import Logging
import Synchronization
import Syscalls
import Wire

/// The way of established flows from one process of this server to the next, across a restart or an upgrade.
///
///     old process ──image──▶ a file in memory  ─┐
///                 ──descriptors, in flight──▶ a socket's queue ──┴─ both held by systemd's descriptor store ──▶ new process
///
/// The store itself would take seconds for thousands of descriptors; a few are all that it gets.
enum FlowParking {
    private static let imageName = "parked-flows"
    /// Room for 800,000 descriptors: each queue takes some 69,000.
    private static let receiverNames = (0..<12).map { "parked-receiver-\($0)" }
    static var names: [String] { [imageName] + receiverNames }
    /// 1 GiB: buffers and pipes of a worker are bounded by a quarter of that each.
    private static let longestImage = 1 << 30

    // MARK: Leaving

    /// Hands flows to the service manager. Returns when it has them. Those for which there is no room are cut.
    static func park(_ departures: [MovingFlow], logger: Logger) {
        guard !departures.isEmpty else { return }
        let groups = departures.map { $0.sockets.map(\.number) }
        var sent = 0
        do {
            for name in receiverNames where sent < groups.count {
                let flight = try Flight(groups[sent...])
                Notify.forget(name)
                Notify.keep(flight.receiver.number, as: name)
                sent += flight.sent
            }
            let records = departures.prefix(sent).map { ($0.flow, $0.sockets.count) }
            let image = try File.inMemory(named: "ddirect-\(imageName)", ParkedFlows.octets(of: records))
            Notify.forget(imageName)
            Notify.keep(image.number, as: imageName)
            Notify.awaitTaken()
            logger.notice("Flows wait for the next process", metadata: ["flows": "\(sent)"])
        } catch {
            // Without their image those in flight are closed by the next process.
            logger.error("Flows could not be kept for the next process", metadata: ["reason": "\(error)"])
        }
        guard sent < departures.count else { return }
        logger.error(
            "There was no room for more flows, and the others were cut",
            metadata: ["flows": "\(departures.count - sent)"])
        for departure in departures.dropFirst(sent) { for socket in departure.sockets { socket.reset() } }
    }

    // MARK: Arriving

    /// Flows that nobody has gone on with yet.
    final class Waiting: Sendable {
        private let arrivals: Mutex<[MovingFlow]>

        init(_ arrivals: [MovingFlow]) { self.arrivals = Mutex(arrivals) }

        /// All of them, the first time; nobody gets one twice.
        func takeAll() -> [MovingFlow] {
            arrivals.withLock { arrivals in
                defer { arrivals = [] }
                return arrivals
            }
        }
    }

    /// Takes the flows that an earlier process has parked. What cannot be read is cut, and that is said.
    static func unpark(_ passed: [PassedSocket], logger: Logger) -> [MovingFlow] {
        defer {
            for socket in passed where names.contains(socket.name) {
                _ = OwnedDescriptor(owning: socket.number)
                Notify.forget(socket.name)
            }
        }
        let receivers = receiverNames.compactMap { name in passed.last { $0.name == name } }
        guard !receivers.isEmpty else { return [] }
        var descriptors: ArraySlice<Int32> = []
        do {
            for receiver in receivers { descriptors += try Flight.receive(at: receiver.number) }
            guard let image = passed.last(where: { $0.name == imageName }) else {
                throw SealedImage.Unusable(description: "their image is missing")
            }
            let records = try ParkedFlows.records(in: try File.contents(of: image.number, atMost: longestImage))
            var arrivals: [MovingFlow] = []
            var unread = 0
            for record in records {
                // From a shortage on nobody knows any more whose descriptor is whose.
                guard record.descriptors <= descriptors.count else { break }
                let own = descriptors.prefix(record.descriptors).map { Socket(number: $0) }
                descriptors = descriptors.dropFirst(record.descriptors)
                guard let flow = record.flow, let client = own.first, own.count == (flow.stage == .relaying ? 2 : 1)
                else {
                    unread += 1
                    for socket in own { socket.reset() }
                    continue
                }
                arrivals.append(MovingFlow(flow: flow, client: client, endpoint: own.count == 2 ? own[1] : .none))
            }
            for descriptor in descriptors { Socket(number: descriptor).reset() }
            logger.notice("Going on with flows of the last process", metadata: ["flows": "\(arrivals.count)"])
            if records.count > arrivals.count {
                logger.error(
                    "Parked flows that cannot be gone on with were cut",
                    metadata: ["flows": "\(records.count - arrivals.count)", "unreadable": "\(unread)"])
            }
            return arrivals
        } catch {
            for descriptor in descriptors { Socket(number: descriptor).reset() }
            logger.error("Parked flows cannot be used, and were cut", metadata: ["reason": "\(error)"])
            return []
        }
    }
}
