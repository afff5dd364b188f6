package import Domain
import FoundationEssentials
package import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Store
import Synchronization

/// Sends alerts to the webhooks, each until it has arrived or is given up.
///
/// 1. An alert stands in the store before anything is sent, and until it is known to have arrived: it arrives at least
///    once.
/// 2. At a time there is one attempt for each URL, and none waits for that of another.
/// 3. Settings and keys are read anew for each attempt: what was wrong with them can be mended without a restart.
package final class AlertSender: ServiceLifecycle.Service, Sendable {
    /// For an attempt.
    package static let timeout = Duration.seconds(10)
    /// More than there can be webhooks; those that are no longer in the settings have alerts waiting, too.
    private static let mostReceivers = 64
    /// How long sent alerts are kept, in seconds, for those who find out late.
    private static let retention = 30.0 * 86_400
    /// Between two looks at the store that nothing else asks for; old alerts are forgotten that often.
    private static let longestPause = Duration.seconds(3600)
    /// Until a store that failed is asked again.
    private static let pauseAfterFailure = Duration.seconds(5)

    private let queue: AlertQueue
    private let webhooks: @Sendable () -> [Webhook]
    private let key: @Sendable (CredentialName) throws -> String
    private let timeout: Duration
    private let jitter: @Sendable () -> Double
    private let logger: Logger
    private let wakeUps: AsyncStream<Void>
    private let wakeUp: AsyncStream<Void>.Continuation
    /// The URLs at which an attempt is under way.
    private let busy = Mutex<Set<String>>([])

    /// `key` reads a secret, `jitter` draws a number from 0 to 1.
    package init(
        _ queue: AlertQueue, webhooks: @escaping @Sendable () -> [Webhook],
        key: @escaping @Sendable (CredentialName) throws -> String, timeout: Duration = AlertSender.timeout,
        jitter: @escaping @Sendable () -> Double = { Double.random(in: 0...1) }, logger: Logger
    ) {
        self.queue = queue
        self.webhooks = webhooks
        self.key = key
        self.timeout = timeout
        self.jitter = jitter
        self.logger = logger
        (wakeUps, wakeUp) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    // MARK: Feeding

    /// Stores an alert, if there is anybody to be told and this kind of event is one, and has it sent.
    ///
    /// It never fails towards its caller, who has more important things to do. What cannot be stored is lost, and
    /// logged as an error.
    package func raise(_ kind: FleetEvent.Kind, server: ServerName? = nil, detail: String) async {
        let urls = webhooks().map(\.url)
        guard kind.isAlert, !urls.isEmpty else { return }
        do {
            let body = Alert.members(server: server, failover: nil, detail: detail)
            // A task of its own, so that the alert is stored although the caller's is being cut off.
            try await Task {
                _ = try await queue.enqueue(kind: kind, body: body, urls: urls, at: queue.now)
            }.value
            wake()
        } catch {
            logger.error(
                "An alert cannot be stored, and will not be sent",
                metadata: ["kind": "\(kind.rawValue)", "detail": "\(detail)", "cause": "\(error)"])
        }
    }

    /// Has whatever is due sent. After an alert that the caller stored itself, or another list of webhooks.
    package func wake() { wakeUp.yield() }

    // MARK: Sending

    package func run() async throws {
        let http = AlertPost.client()
        await work(AlertPost(http: http, timeout: timeout))
        try await http.shutDown()
    }

    /// At a shutdown only the attempts are cut off, and the next process makes them again. What reads and writes the
    /// store is not: a cancelled task interrupts SQLite, and that may hit whoever uses the connection next.
    private func work(_ post: AlertPost) async {
        let clock = NIOSingletons.posixEventLoopGroup.any()
        await withDiscardingTaskGroup { group in
            var timer: Scheduled<Void>?
            var pruning = ContinuousClock.now
            wake()
            for await _ in wakeUps.cancelOnGracefulShutdown() {
                timer?.cancel()
                if ContinuousClock.now >= pruning {
                    await prune()
                    pruning = .now + AlertSender.longestPause
                }
                let pause = await begin(post, in: &group)
                timer = clock.scheduleTask(in: TimeAmount(pause)) { self.wake() }
            }
            timer?.cancel()
        }
    }

    private func prune() async {
        do {
            try await queue.prune(before: queue.now.addingTimeInterval(-AlertSender.retention))
        } catch {
            logger.warning("Old alerts cannot be forgotten; it will be tried again", metadata: ["cause": "\(error)"])
        }
    }

    /// Begins an attempt at every URL where one is due and none is under way, and answers when to look again.
    private func begin(_ post: AlertPost, in group: inout DiscardingTaskGroup) async -> Duration {
        do {
            let now = queue.now
            // As it is before the store is asked: what is under way then may have arrived by the time of the answer.
            // Its end wakes us.
            let underWay = busy.withLock { $0 }
            for delivery in try await queue.due(at: now, limit: AlertSender.mostReceivers) {
                guard !underWay.contains(delivery.url) else { continue }
                busy.withLock { _ = $0.insert(delivery.url) }
                group.addTask {
                    await self.attempt(delivery, post)
                    self.busy.withLock { _ = $0.remove(delivery.url) }
                    self.wake()
                }
            }
            guard let next = try await queue.next(after: now) else { return AlertSender.longestPause }
            let pause = Duration.seconds(next.timeIntervalSince(queue.now))
            return min(max(pause, .milliseconds(10)), AlertSender.longestPause)
        } catch {
            logger.error("The alerts that are due cannot be read", metadata: ["cause": "\(error)"])
            return AlertSender.pauseAfterFailure
        }
    }

    private func attempt(_ delivery: AlertDelivery, _ post: AlertPost) async {
        do {
            try await settle(delivery, await outcome(of: delivery, post))
        } catch {
            logger.error(
                "What became of an alert cannot be stored; it will be sent again",
                metadata: metadata(delivery, ["cause": "\(error)"]))
            // Or it would be sent over and over, as fast as the receiver takes it.
            try? await cancelWhenGracefulShutdown { try await Task.sleep(for: AlertSender.pauseAfterFailure) }
        }
    }

    private func outcome(of delivery: AlertDelivery, _ post: AlertPost) async -> AlertPost.Outcome? {
        guard let webhook = webhooks().first(where: { $0.url == delivery.url }) else { return nil }
        let key: String
        do {
            key = try self.key(webhook.credential)
        } catch {
            return .failed("its key cannot be read: \(error)")
        }
        guard !key.isEmpty else { return .failed("its key, the credential \(webhook.credential), is empty") }
        return await cancelWhenGracefulShutdown { await post.send(delivery, key: key, at: self.queue.now) }
    }

    /// Stores what came of an attempt; nil when there was none, as the URL is no webhook any more.
    private func settle(_ delivery: AlertDelivery, _ outcome: AlertPost.Outcome?) async throws {
        guard let outcome else { return try await giveUp(delivery, "it is no webhook any more") }
        guard case .failed(let reason) = outcome else {
            try await queue.delivered(delivery)
            return logger.info("An alert was sent", metadata: metadata(delivery))
        }
        // Cut off by the end of this process, it has not failed.
        guard !Task.isShuttingDownGracefully, !Task.isCancelled else { return }
        let attempt = delivery.attempts &+ 1
        let next = AlertBackoff.next(after: attempt, raised: delivery.alert.at, now: queue.now, jitter: jitter())
        guard let next else { return try await giveUp(delivery, "not taken in \(attempt) attempts: \(reason)") }
        try await queue.failed(delivery, nextAt: next, error: reason)
        logger.warning(
            "An alert could not be sent; it will be tried again",
            metadata: metadata(
                delivery, ["attempt": "\(attempt)", "reason": "\(reason)", "next": "\(Timestamp.text(next))"]))
    }

    private func giveUp(_ delivery: AlertDelivery, _ reason: String) async throws {
        try await queue.givenUp(delivery, error: reason)
        logger.error("An alert is given up", metadata: metadata(delivery, ["reason": "\(reason)"]))
    }

    private func metadata(_ delivery: AlertDelivery, _ others: Logger.Metadata = [:]) -> Logger.Metadata {
        let own: Logger.Metadata = [
            "alert": "\(delivery.alert.id)", "kind": "\(delivery.alert.kind)", "receiver": "\(delivery.receiver)",
        ]
        return own.merging(others) { $1 }
    }
}
