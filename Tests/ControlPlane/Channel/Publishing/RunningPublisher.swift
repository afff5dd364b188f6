import Foundation
import Logging
import NIOPosix
import ServiceLifecycle

@testable import Channel
@testable import Fleet
@testable import Probing

/// Runs a publisher on a socket of its own while `body` runs, and stops it as a daemon is stopped.
func withPublisher<Result: Sendable>(
    _ fleet: FleetState, recent: [Change] = [], limits: SessionLimits = .patient, log: ChangeLog = ChangeLog(),
    probeKeys: ProbeKeys? = nil, path: String = temporarySocketPath(),
    _ body: @escaping @Sendable (SnapshotPublisher, String) async throws -> Result
) async throws -> Result {
    var logger = Logger(label: "test.publisher")
    logger.logLevel = .critical
    let publisher = SnapshotPublisher(
        state: fleet, recent: recent, exceptions: [], probeKeys: probeKeys, channel: ChannelSettings(unixPath: path),
        logger: logger, limits: limits, log: log)
    let group = ServiceGroup(services: [publisher], logger: logger)
    return try await withThrowingTaskGroup(of: Void.self) { tasks in
        tasks.addTask { try await group.run() }
        try await untilListening(on: path)
        let result: Swift.Result<Result, any Error>
        do {
            result = .success(try await body(publisher, path))
        } catch {
            result = .failure(error)
        }
        await group.triggerGracefulShutdown()
        try await tasks.waitForAll()
        return try result.get()
    }
}

extension SessionLimits {
    /// To these a client that does nothing for a while, because its test or the machine is busy, is no dead one.
    static var patient: SessionLimits {
        var limits = SessionLimits()
        limits.helloDeadline = patience
        limits.heartbeatsMissed = 10_000
        return limits
    }
}

/// A path for a socket that no other test has; short, since a socket's path has at most 107 octets.
func temporarySocketPath() -> String {
    FileManager.default.temporaryDirectory.path + "/ddirect-\(UInt64.random(in: 0...UInt64.max)).sock"
}

struct NeverHappened: Error {
    let what: String
}

/// How long a test waits for a fact. Only a fault takes so long, however slow the machine is.
let patience = Duration.seconds(240)

/// Waits until `condition` holds.
func eventually(_ what: String, _ condition: () async throws -> Bool) async throws {
    let deadline = ContinuousClock.now + patience
    while ContinuousClock.now < deadline {
        if try await condition() { return }
        try await Task.sleep(for: .milliseconds(5))
    }
    throw NeverHappened(what: what)
}

func untilListening(on path: String) async throws {
    try await eventually("listening on \(path)") {
        let channel = try? await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(unixDomainSocketPath: path).get()
        try await channel?.close()
        return channel != nil
    }
}
