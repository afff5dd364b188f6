import Domain
package import Logging
package import NIOCore
import NIOPosix
import ServiceLifecycle
import Synchronization

/// The control plane's own vantage: probes what it is told to, and tells how each round ended.
///
/// Each series of probes has a task of its own, which goes on until the series is no longer wanted; what a new list
/// leaves as it was is not disturbed by it, so that no number of changes keeps anybody from being probed.
package final class ControlVantage: ServiceLifecycle.Service, Sendable {
    /// How rounds ended; for one reader. When it does not keep up, the newest are kept.
    package let outcomes: AsyncStream<ProbeOutcome>
    private let outcome: AsyncStream<ProbeOutcome>.Continuation
    private let lists: AsyncStream<[ProbeTarget]>
    private let list: AsyncStream<[ProbeTarget]>.Continuation

    private let logger: Logger
    private let group: any EventLoopGroup
    private let clock = ContinuousClock()
    private let began = ContinuousClock.now
    private let mostAttempts: Int
    private let attemptsUnderWay = Mutex(0)
    private let lastComplaint = Mutex<ContinuousClock.Instant?>(nil)

    /// Each is a descriptor; a hundred dead servers take as many, each of whose two ports is asked ten times in a
    /// round.
    package static let mostAttempts = 2048
    /// Between two lines of the log about probes that could not be made.
    private static let complaintInterval = Duration.seconds(60)
    private static let mostOutcomes = 8192

    /// `mostAttempts` is how many connections it may have at a time. Services' own checks may take half of them, so
    /// that no number of checks keeps the servers themselves from being probed.
    package init(
        logger: Logger, group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton,
        mostAttempts: Int = ControlVantage.mostAttempts
    ) {
        self.logger = logger
        self.group = group
        self.mostAttempts = mostAttempts
        (outcomes, outcome) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(ControlVantage.mostOutcomes))
        (lists, list) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// What to probe from now on; the list replaces the one before.
    package func watch(_ targets: [ProbeTarget]) { list.yield(targets) }

    /// Probes until graceful shutdown.
    package func run() async throws {
        let tls = try ProbeTLS()
        await cancelWhenGracefulShutdown { await self.follow(tls) }
        outcome.finish()
    }

    /// Sees to it that what the newest list names is probed, and nothing else.
    private func follow(_ tls: ProbeTLS) async {
        await withDiscardingTaskGroup { group in
            var ends: [ProbeSeries: AsyncStream<Never>.Continuation] = [:]
            for await targets in lists {
                let wanted = Set(targets.flatMap(\.series))
                for (series, end) in ends where !wanted.contains(series) {
                    end.finish()
                    ends[series] = nil
                }
                for series in wanted where ends[series] == nil {
                    let (end, ending) = AsyncStream<Never>.makeStream()
                    ends[series] = ending
                    group.addTask { await self.probe(series, tls, until: end) }
                }
            }
            group.cancelAll()
        }
    }

    private func probe(_ series: ProbeSeries, _ tls: ProbeTLS, until end: AsyncStream<Never>) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.probe(series, tls) }
            group.addTask { for await _ in end {} }
            await group.next()
            group.cancelAll()
        }
    }

    /// Makes round after round, until it is cancelled.
    private func probe(_ series: ProbeSeries, _ tls: ProbeTLS) async {
        // At a random moment: what is wanted at once, such as all at a start, does not go out at once.
        var due = clock.now + series.interval * Double.random(in: 0..<1)
        var misses = 0
        while true {
            do { try await clock.sleep(until: due) } catch { return }
            let start = clock.now
            guard let ended = await round(series, isWeary: misses >= ProbeRound.wearyAfter, tls) else { return }
            let now = clock.now
            switch ended {
            case .answered:
                misses = 0
                tell(series, nil, from: start, to: now)
            case .missed(let reason, let accepted):
                misses += 1
                tell(series, reason, accepted: accepted, from: start, to: now)
            case .untold(let reason): complain(series, reason, at: now)
            }
            due = series.next(after: due, at: start)
        }
    }

    private func tell(
        _ series: ProbeSeries, _ error: String?, accepted: Bool = false, from start: ContinuousClock.Instant,
        to now: ContinuousClock.Instant
    ) {
        outcome.yield(
            ProbeOutcome(
                server: series.question.server, service: series.question.service, vantage: .control, error: error,
                accepted: accepted,
                duration: now - start, at: now))
    }

    /// Says why nothing is told, but not for ever.
    private func complain(_ series: ProbeSeries, _ reason: String, at now: ContinuousClock.Instant) {
        let isDue = lastComplaint.withLock { last in
            if let last, now - last < ControlVantage.complaintInterval { return false }
            last = now
            return true
        }
        guard isDue else { return }
        logger.warning(
            "A probe could not be made properly, so nothing is told of it",
            metadata: [
                "server": "\(series.question.server)", "service": "\(series.question.service?.text ?? "")",
                "reason": "\(reason)",
            ])
    }

    // MARK: A round

    /// The time, as rounds count it.
    private var milliseconds: UInt64 { UInt64(clamping: (clock.now - began).wholeMilliseconds) }

    private enum Event: Sendable {
        case ended(door: Int, ProbeRound.End)
        case time
    }

    /// Makes one round; nil when it is cancelled.
    private func round(_ series: ProbeSeries, isWeary: Bool, _ tls: ProbeTLS) async -> ProbeRound.Outcome? {
        let first = ProbeRound(
            doors: series.question.doors.map { "\($0.address)" },
            timeout: UInt64(clamping: series.timeout.wholeMilliseconds),
            isWeary: isWeary, now: milliseconds)
        let accepting = AcceptingDoors()
        return await withTaskGroup(of: Event.self) { group in
            // What is still under way then is of no use any more.
            defer { group.cancelAll() }
            var round = first
            var isTimed = false
            while !Task.isCancelled {
                for door in round.takeDue(now: milliseconds) {
                    guard takeAttempt(isCheck: series.question.service != nil) else {
                        round.ended(door, .notMade("there are too many connections under way"))
                        continue
                    }
                    let attempt = ProbeAttempt(
                        series: series, door: series.question.doors[door], tls: tls, loop: self.group.next(),
                        accepted: { accepting.add(door) })
                    group.addTask {
                        let end = await attempt.end()
                        self.giveAttemptBack()
                        return .ended(door: door, end)
                    }
                }
                for door in accepting.drain() { round.accepted(door) }
                if let outcome = round.outcome(now: milliseconds) { return outcome }
                if !isTimed {
                    isTimed = true
                    let next = began + .milliseconds(Int64(clamping: round.nextEvent))
                    group.addTask {
                        // Cancelled: the round is over.
                        try? await self.clock.sleep(until: next)
                        return .time
                    }
                }
                switch await group.next() {
                case .ended(let door, let end)?: round.ended(door, end)
                case .time?: isTimed = false
                case nil: return nil
                }
            }
            return nil
        }
    }

    private func takeAttempt(isCheck: Bool) -> Bool {
        attemptsUnderWay.withLock { underWay in
            guard underWay < (isCheck ? mostAttempts / 2 : mostAttempts) else { return false }
            underWay += 1
            return true
        }
    }

    private func giveAttemptBack() { attemptsUnderWay.withLock { $0 -= 1 } }
}

/// The doors of a round that have taken a connection, told by its attempts.
private final class AcceptingDoors: Sendable {
    private let doors = Mutex<Set<Int>>([])

    func add(_ door: Int) { doors.withLock { _ = $0.insert(door) } }
    func drain() -> Set<Int> {
        doors.withLock { doors in
            defer { doors = [] }; return doors
        }
    }
}
