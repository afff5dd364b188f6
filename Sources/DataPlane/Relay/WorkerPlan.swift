import Domain
import Syscalls

/// What a worker is told, between two rounds of its events.
enum WorkerMessage: Sendable {
    /// Route by this table from now on, and say so.
    case route(RoutingTable)
    /// The addresses of endpoint names have become known or changed.
    case addresses([(index: Int32, addresses: EndpointAddresses)])
    /// New connections of these services go first to another target than before.
    case preferred([(slot: Int32, preference: TargetPreference)])
    /// The listeners listen: accept from them.
    case accept
    /// Stop accepting, close the listeners, and report when the last flow has ended.
    case shutDown
    /// Refuse new connections to services, but answer on the monitor endpoint; or take them again.
    case drain(Bool)
    /// From this address somebody has proved to be a probe of the fleet.
    case proved(Address)
    /// Take in flows that an earlier process of this server has parked, each with the slot of its service.
    case adopt([MovingFlow])
    /// Go on with a search for open flows, and answer it when it is done.
    case list(FlowSearch)
    /// Hand over every flow, and end.
    case park
    /// End now, whatever is open.
    case stop
}

/// What a worker tells the rest of the process.
enum WorkerReport: Sendable {
    /// Worker `index` routes by the table of this generation.
    case routes(index: Int, generation: UInt64)
}

/// Everything a worker is made of; made by the composition root and handed to the worker's thread.
struct WorkerPlan: Sendable {
    let index: Int
    let settings: RelaySettings
    let listeners: [Listener]
    /// Where the monitor endpoint's responder listens.
    let responder: (http: TransportAddress, https: TransportAddress)
    let counters: WorkerCounters
    let fellows: Fellows
    /// Of all workers, this one among them.
    let everyone: [WorkerCounters]
    let ledger: ClientLedger
    let mailbox: Mailbox<WorkerMessage>
    let reports: Mailbox<WorkerReport>
    let incidents: Mailbox<IncidentReport>
    /// To the flow log.
    let records: RecordRing<FlowRecord>
    /// Told the flows of a worker that has parked them, once.
    let departures: Mailbox<[MovingFlow]>
    /// Told the slots of names whose addresses could not be connected to.
    let doubts: Mailbox<NameSlot>
}

/// The memory of one worker's records; pages that no record has used cost nothing.
struct WorkerMemory: Sendable {
    let table: FlowTable
    let dials: DialTable
    let ready: ReadyQueue
    let accounts: BufferAccounts
    let holding: HoldingFlows
    let bulk: ReadyQueue
    let incidents: IncidentMemory
    let gate: MonitorGate
    let failures: AddressMemory
    /// The addresses of endpoint names, by their slots.
    let names: Slab<Int32, EndpointAddresses>
    /// By the slots of services.
    let preferences: Slab<Int32, TargetPreference>

    /// Of one of so many workers.
    init(_ settings: RelaySettings, workers: Int) throws(SystemCallError) {
        let limit = settings.flowLimit
        accounts = try BufferAccounts(bytesLimit: settings.bufferLimit, holders: Capacity.services)
        holding = try HoldingFlows(flows: limit, services: Capacity.services)
        table = try FlowTable(limit: limit)
        dials = try DialTable(limit: limit)
        ready = try ReadyQueue(flowLimit: limit)
        bulk = try ReadyQueue(flowLimit: limit)
        incidents = try IncidentMemory()
        gate = try MonitorGate(
            workers: workers, strangers: settings.monitorStrangers, known: settings.monitorKnown,
            seed: .random(in: .min ... .max))
        failures = try AddressMemory(seed: .random(in: .min ... .max))
        names = try Slab(capacity: Capacity.names)
        preferences = try Slab(capacity: Capacity.services)
    }
}
