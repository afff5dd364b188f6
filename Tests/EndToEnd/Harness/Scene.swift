import Foundation
import Synchronization
import Testing

/// Everything that one test has started: a folder, processes, listeners. It all ends with the test, whatever became of
/// that.
final class Scene: @unchecked Sendable {
    @TaskLocal static var current: Scene?

    let folder: String
    private let programs = Mutex<[Program]>([])
    private let endings = Mutex<[@Sendable () -> Void]>([])
    private let counter = Mutex(0)

    init() throws {
        try DescriptorLimit.ensure()
        // Short, since a Unix socket's path has room for 107 octets.
        var template = Array("\(URL(fileURLWithPath: NSTemporaryDirectory()).path)/dd-XXXXXX".utf8CString)
        guard let made = unsafe mkdtemp(&template) else { throw Failure("mkdtemp: errno \(errno)") }
        folder = unsafe String(cString: made)
    }

    /// The scene of the test that runs. Only tests with the trait `.realParts` have one.
    static func present() throws -> Scene {
        guard let current else { throw Failure("this test lacks the trait .realParts") }
        return current
    }

    /// A path in the scene's folder that nobody else uses.
    func path(_ name: String) -> String {
        let number = counter.withLock { count in
            count += 1
            return count
        }
        return "\(folder)/\(number)-\(name)"
    }

    func add(_ program: Program) { programs.withLock { $0.append(program) } }

    /// Has something done when the test is over, the last first, before the processes are ended.
    func atEnd(_ ending: @escaping @Sendable () -> Void) { endings.withLock { $0.append(ending) } }

    /// Ends everything. The daemons that have ended although nobody wanted them to.
    func end(keepingFolder: Bool) -> [String] {
        for ending in endings.withLock({ $0 }).reversed() { ending() }
        let programs = programs.withLock { $0 }
        let crashed = programs.filter(\.hasEndedUnexpectedly).map {
            "\($0.name) ended although it should run: \($0.ending.map(String.init(describing:)) ?? "?")\n\($0.log.suffix(4000))"
        }
        for program in programs.reversed() { program.destroy() }
        if !keepingFolder { try? FileManager.default.removeItem(atPath: folder) }
        return crashed
    }

    /// The last lines of every process, for the reader of a failed test.
    var logs: String {
        programs.withLock { $0 }.filter(\.isDaemon).map { "--- \($0.name)\n\($0.log.suffix(1500))" }.joined(
            separator: "\n")
    }
}

/// Why a test could not go on.
struct Failure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// Runs a test on a thread of its own, where it may block, with a scene that is taken down after it.
///
/// Tests run at once as far as the machine bears it: each weighs one, or what it says.
struct RealParts: TestTrait, SuiteTrait, TestScoping {
    let weight: Int
    let isRecursive = true

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        // A test's own trait inside that of its suite would wait for room which the outer one has taken.
        guard Scene.current == nil else { throw Failure("\(test.name) has the trait twice; its suite's is enough") }
        await Gate.shared.enter(weight)
        let began = now()
        // Without what it has waited at the gate.
        defer { print("figure: '\(test.name)' took \((now() - began).milliseconds) ms") }
        do {
            try await perform(function)
        } catch {
            await Gate.shared.leave(weight)
            throw error
        }
        await Gate.shared.leave(weight)
    }

    private func perform(_ function: @Sendable () async throws -> Void) async throws {
        let scene = try Scene()
        let thread = TestThread()
        defer { thread.stop() }
        // All of it on that thread: ending a scene takes its time too.
        try await withTaskExecutorPreference(thread) {
            defer {
                // DDIRECT_KEEP=1 leaves logs and databases for someone who looks into a failure.
                let keeps = ProcessInfo.processInfo.environment["DDIRECT_KEEP"] != nil
                for crash in scene.end(keepingFolder: keeps) { Issue.record("\(crash)") }
            }
            do {
                try await Scene.$current.withValue(scene) { try await function() }
            } catch {
                print(scene.logs)
                throw error
            }
        }
    }
}

extension Trait where Self == RealParts {
    static var realParts: RealParts { RealParts(weight: 1) }
    /// For tests that put a load on the machine, or that measure time.
    static var load: RealParts { RealParts(weight: 3) }
}

/// Lets in as many tests as the machine bears, in the order in which they came.
actor Gate {
    /// Most of a test is waiting, and each has a few daemons.
    static let shared = Gate(room: max(4, 2 * ProcessInfo.processInfo.activeProcessorCount))

    private var room: Int
    private var waiting: [(weight: Int, continuation: CheckedContinuation<Void, Never>)] = []

    init(room: Int) { self.room = room }

    func enter(_ weight: Int) async {
        if waiting.isEmpty, room >= weight {
            room -= weight
            return
        }
        await withCheckedContinuation { waiting.append((weight, $0)) }
    }

    func leave(_ weight: Int) {
        room += weight
        while let first = waiting.first, room >= first.weight {
            room -= first.weight
            waiting.removeFirst()
            first.continuation.resume()
        }
    }
}

/// A thread that runs one test's jobs, so that the test may block without taking a thread from the others.
final class TestThread: TaskExecutor, @unchecked Sendable {
    private let condition = NSCondition()
    private var jobs: [UnownedJob] = []
    private var isStopped = false

    init() {
        let thread = Thread { self.run() }
        thread.name = "test"
        // The default of a secondary thread is too small for a debug build's deep calls.
        thread.stackSize = 8 << 20
        thread.start()
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        condition.withLock {
            jobs.append(job)
            condition.signal()
        }
    }

    func stop() {
        condition.withLock {
            isStopped = true
            condition.signal()
        }
    }

    private func run() {
        while let job = next() { unsafe job.runSynchronously(on: asUnownedTaskExecutor()) }
    }

    private func next() -> UnownedJob? {
        condition.withLock {
            while jobs.isEmpty, !isStopped { condition.wait() }
            return jobs.isEmpty ? nil : jobs.removeFirst()
        }
    }
}
