import Foundation
import Glibc

/// Starts processes, from a thread that lives as long as the test runner.
///
/// A child asks the kernel to be killed when its parent dies (`setpriv --pdeathsig`), and by parent the kernel means
/// the thread that started it: one of a pool would take its children along whenever the pool shrinks.
final class Spawner: @unchecked Sendable {
    static let shared = Spawner()

    private let condition = NSCondition()
    private var requests: [() -> Void] = []

    private init() {
        let thread = Thread { self.run() }
        thread.name = "spawner"
        thread.start()
    }

    private func run() {
        while true {
            condition.lock()
            while requests.isEmpty { condition.wait() }
            let request = requests.removeFirst()
            condition.unlock()
            request()
        }
    }

    func spawn(
        _ path: String, _ arguments: [String], input: String, output: String, errors: String,
        environment: [String: String]
    ) throws -> pid_t {
        // What the runner's own environment says about D-Direct and a service manager must not reach the processes
        // under test.
        let withheld = ["DDIRECT_", "NOTIFY_SOCKET", "WATCHDOG_", "LISTEN_"]
        let inherited = ProcessInfo.processInfo.environment.filter { variable in
            !withheld.contains { variable.key.hasPrefix($0) }
        }
        let variables = inherited.merging(environment) { $1 }.map { "\($0.key)=\($0.value)" }
        let wrapper = try Executables.path(of: "setpriv")
        let line = [wrapper, "--pdeathsig", "KILL", "--", path] + arguments
        let done = DispatchSemaphore(value: 0)
        nonisolated(unsafe) var outcome: Result<pid_t, Failure> = .failure(Failure("not started"))
        condition.withLock {
            requests.append {
                unsafe outcome = Spawner.start(line, variables, input: input, output: output, errors: errors)
                done.signal()
            }
            condition.signal()
        }
        done.wait()
        return try unsafe outcome.get()
    }

    /// `posix_spawn_file_actions_addclosefrom_np`, which glibc has and its Swift module does not show.
    private typealias CloseFrom = @convention(c) (UnsafeMutablePointer<posix_spawn_file_actions_t>, Int32) -> Int32
    private static let closeFrom = unsafe dlsym(dlopen(nil, RTLD_NOW), "posix_spawn_file_actions_addclosefrom_np").map {
        unsafe unsafeBitCast($0, to: CloseFrom.self)
    }

    private static func start(
        _ line: [String], _ variables: [String], input: String, output: String, errors: String
    ) -> Result<pid_t, Failure> {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        let writing = O_WRONLY | O_CREAT | O_APPEND
        unsafe posix_spawn_file_actions_addopen(&actions, 0, input, O_RDONLY, 0)
        unsafe posix_spawn_file_actions_addopen(&actions, 1, output, writing, 0o600)
        unsafe posix_spawn_file_actions_addopen(&actions, 2, errors, writing, 0o600)
        // Whatever other tests have open at this moment is none of the child's business.
        _ = unsafe closeFrom?(&actions, 3)
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        // A group of its own: a Ctrl-C at the terminal is for the runner. No signal blocked or ignored, whatever the
        // runner does.
        var none = sigset_t()
        unsafe sigemptyset(&none)
        var every = sigset_t()
        unsafe sigfillset(&every)
        unsafe posix_spawnattr_setsigmask(&attributes, &none)
        unsafe posix_spawnattr_setsigdefault(&attributes, &every)
        let flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF
        unsafe posix_spawnattr_setflags(&attributes, Int16(flags))
        var arguments = unsafe line.map { unsafe strdup($0) } + [nil]
        var environment = unsafe variables.map { unsafe strdup($0) } + [nil]
        defer {
            for index in unsafe arguments.indices { unsafe free(arguments[index]) }
            for index in unsafe environment.indices { unsafe free(environment[index]) }
        }
        var pid: pid_t = 0
        let code = unsafe posix_spawn(&pid, line[0], &actions, &attributes, &arguments, &environment)
        return code == 0 ? .success(pid) : .failure(Failure("cannot start \(line[4]): errno \(code)"))
    }
}
