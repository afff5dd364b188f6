import Logging
import Synchronization
import Syscalls

/// The threads of this process: started in order, stopped in reverse, and watched in between.
///
///     start ──▶ running ──its stop was called, and it has returned──▶ joined
///                  │└──no round for its patience──▶ stuck, and running again with the next
///                  └──it has thrown, or returned by itself──▶ lost
final class ThreadList {
    /// What ends of threads leave behind, written on those threads.
    private final class Ends: Sendable {
        private let state = Mutex((expected: Set<String>(), reasons: [String: String]()))

        /// The end of this thread is wanted from now on.
        func expect(_ name: String) { state.withLock { _ = $0.expected.insert(name) } }

        /// A thread has ended; whether that was expected.
        func ended(_ name: String, _ reason: String) -> Bool {
            state.withLock { state in
                guard !state.expected.contains(name) else { return true }
                state.reasons[name] = reason
                return false
            }
        }

        var reasons: [String: String] { state.withLock { $0.reasons } }
    }

    private struct Running {
        let plan: DaemonThread
        let thread: JoinableThread
        var rounds: UInt64 = 0
        var lastMoved: Duration
        var lastLook: Duration
    }

    private let logger: Logger
    private let ends = Ends()
    private var running: [Running] = []

    init(logger: Logger) { self.logger = logger }

    /// Starts one more. `now` is a moment of any clock that never goes back.
    func start(_ plan: DaemonThread, at now: Duration) throws(SystemCallError) {
        precondition(!running.contains { $0.plan.name == plan.name })
        let thread = try JoinableThread(named: plan.name) { [ends, logger] in
            var reason = "it has returned"
            do { try plan.run() } catch { reason = "\(error)" }
            guard !ends.ended(plan.name, reason) else { return }
            logger.critical(
                "A thread of this process has ended that should not have",
                metadata: ["thread": "\(plan.name)", "reason": "\(reason)", "consequence": "\(plan.consequence)"])
        }
        running.append(Running(plan: plan, thread: thread, lastMoved: now, lastLook: now))
    }

    /// What is wrong with them, in the order of their start. To be called a few times within the shortest patience:
    /// that a thread stands still shows only between two calls.
    func ailments(at now: Duration) -> [ThreadAilment] {
        let reasons = ends.reasons
        var ailments: [ThreadAilment] = []
        for index in running.indices {
            let plan = running[index].plan
            if let reason = reasons[plan.name] {
                ailments.append(
                    ThreadAilment(thread: plan.name, loss: plan.loss, kind: .ended(reason, plan.consequence)))
                continue
            }
            guard let rounds = plan.rounds?() else { continue }
            // A process that stood still as a whole, as a virtual machine does that is moved, is no fault of this
            // thread.
            let hasLookedAway = now - running[index].lastLook > plan.patience / 2
            running[index].lastLook = now
            if rounds != running[index].rounds || hasLookedAway {
                running[index].rounds = rounds
                running[index].lastMoved = now
            } else if now - running[index].lastMoved > plan.patience {
                ailments.append(ThreadAilment(thread: plan.name, loss: plan.loss, kind: .stuck))
            }
        }
        return ailments
    }

    /// The threads that still run are about to end by themselves, and that is as it should be.
    func expectEnds() {
        for running in running { ends.expect(running.plan.name) }
    }

    /// Stops the threads that were started after the one of this name, the last first, and waits for the end of each.
    /// All of them for nil.
    func stop(after name: String? = nil) {
        while let last = running.last, last.plan.name != name {
            ends.expect(last.plan.name)
            last.plan.stop()
            last.thread.join()
            running.removeLast()
        }
    }
}
