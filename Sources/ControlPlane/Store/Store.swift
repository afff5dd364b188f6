package import Domain
package import Fleet
package import FoundationEssentials
package import Synchronization

/// Holds the whole configuration, and every version of it.
///
/// The database is the truth; `catalogue` is the same state in memory, brought forward inside the writer after each
/// commit, so that rules are look-ups and a change costs what it touches. Writers run one at a time. Readers see what
/// was committed.
///
/// The rules, which the code cites:
/// 1. A change is one transaction: rows, version, what changed, audit entry, the answer to repeat. All of it, or
///    nothing.
/// 2. The catalogue changes only inside the writer, after the commit, so no writer ever judges by an older state.
/// 3. Committed changes are handed on (`changes`) in the order of their versions.
package final class Store: Sendable {
    let driver: SQLiteDriver
    let catalogue: Mutex<Catalogue>
    /// The subjects whose own rows have a say in changes, in the order in which they follow them.
    let participants: [any ChangeParticipant]
    let exceptions: [Prefix]
    let ports: EndpointPorts
    package let now: @Sendable () -> Date
    /// Every committed change, in order. One consumer: the feed of the publisher.
    package let changes: AsyncStream<CommittedChange>
    private let committed: AsyncStream<CommittedChange>.Continuation
    /// How often the database failed, for the metrics.
    package let failures = Mutex<UInt64>(0)

    /// Opens the database at `path`, makes it when there is none, and reads the state.
    ///
    /// `schema` are the steps of all subjects that keep rows in it, in the order of their release.
    package static func open(
        at path: String, schema: [Migration], participants: [any ChangeParticipant], exceptions: [Prefix],
        ports: EndpointPorts = EndpointPorts(), now: @escaping @Sendable () -> Date = { Date() }
    ) async throws -> Store {
        let driver = try SQLiteDriver(path: path)
        try await driver.migrate(schema, at: Timestamp.text(now()))
        let state = try await StateReader(driver: driver).read()
        return Store(
            driver: driver, state: state, participants: participants, exceptions: exceptions, ports: ports, now: now)
    }

    private init(
        driver: SQLiteDriver, state: FleetState, participants: [any ChangeParticipant], exceptions: [Prefix],
        ports: EndpointPorts, now: @escaping @Sendable () -> Date
    ) {
        self.driver = driver
        self.participants = participants
        self.exceptions = exceptions
        self.ports = ports
        self.now = now
        catalogue = Mutex(Catalogue(state))
        // Unbounded, as nothing may be left out; the consumer only hands on, and writers wait for the disk.
        (changes, committed) = AsyncStream.makeStream(of: CommittedChange.self)
    }

    /// The state as a value. Whoever keeps it while a change is made makes that change copy it, so nobody keeps it for
    /// long.
    package var state: FleetState { catalogue.withLock { $0.state } }
    package var version: SnapshotVersion { catalogue.withLock { $0.state.version } }

    package struct Counts {
        package let version: SnapshotVersion
        package let customers: Int
        package let servers: Int
        package let services: Int
        package let zones: Int
    }

    package var counts: Counts {
        catalogue.withLock { catalogue in
            let state = catalogue.state
            return Counts(
                version: state.version, customers: state.customers.count, servers: state.servers.count,
                services: state.services.count, zones: state.zones.count)
        }
    }

    /// Ends `changes` and lets go of the files.
    package func close() async throws {
        committed.finish()
        try await driver.close()
    }

    /// Reads, and counts failures.
    package func read<Value: Sendable>(_ body: @escaping @Sendable (SQLConnection) throws -> Value) async throws
        -> Value
    {
        do {
            return try await driver.read(body)
        } catch let failure as StoreFailure {
            failures.withLock { $0 += 1 }
            throw failure
        }
    }

    /// Writes, and counts failures.
    package func write<Value: Sendable>(
        _ body: @escaping @Sendable (SQLConnection) throws -> Value?,
        committed: @escaping @Sendable (Value) -> Void = { _ in }
    ) async throws -> Value? {
        do {
            return try await driver.write(body, committed: committed)
        } catch let failure as StoreFailure {
            failures.withLock { $0 += 1 }
            throw failure
        }
    }

    /// Takes a committed change into the catalogue and hands it on. Called inside the writer only (rules 2 and 3).
    func bringForward(by made: CommittedChange) {
        catalogue.withLock { $0.apply(made.change) }
        committed.yield(made)
    }
}
