import Foundation
import Glibc
import Synchronization

/// How a process ended.
enum Ending: Equatable, Sendable {
    case exited(Int32)
    case signalled(Int32)
}

/// A process that a test has started. It dies with the test, and with the test runner even when that is killed.
final class Program: Sendable {
    let name: String
    let pid: pid_t
    /// Whether the test wants it to go on until it says otherwise.
    let isDaemon: Bool
    private let output: String
    private let state = Mutex(State())

    private struct State {
        var ending: Ending?
        var isMeantToEnd = false
    }

    /// Starts `executable` with standard input from a file or nothing, and everything it writes in one file.
    init(
        _ executable: String, _ arguments: [String], name: String? = nil, input: String = "/dev/null",
        output: String? = nil,
        errors: String? = nil, environment: [String: String] = [:], isDaemon: Bool = true
    ) throws {
        let scene = try Scene.present()
        let path = try Executables.path(of: executable)
        self.name = name ?? executable
        self.isDaemon = isDaemon
        self.output = output ?? scene.path("\(self.name).log")
        pid = try Spawner.shared.spawn(
            path, arguments, input: input, output: self.output, errors: errors ?? self.output, environment: environment)
        scene.add(self)
    }

    var log: String { text(ofFile: output) }

    func signal(_ number: Int32) {
        state.withLock { state in
            // Once it has been waited for, the number may be another process's.
            guard Program.poll(pid, &state) == nil else { return }
            if number != SIGSTOP, number != SIGCONT { state.isMeantToEnd = true }
            kill(pid, number)
        }
    }

    /// How it ended; nil while it runs.
    var ending: Ending? { state.withLock { Program.poll(pid, &$0) } }
    var isRunning: Bool { ending == nil }
    var hasEndedUnexpectedly: Bool { isDaemon && !isRunning && !state.withLock { $0.isMeantToEnd } }

    /// Waits until it has ended by itself or after a signal.
    @discardableResult
    func waitForEnd(within limit: Duration = patience) throws -> Ending {
        state.withLock { $0.isMeantToEnd = true }
        return try eventually("\(name) ends; it says: \(log.suffix(1000))", within: limit, every: .milliseconds(5)) {
            ending
        }
    }

    /// `kill -9`, and waits until it is gone.
    func destroy() {
        signal(SIGCONT)
        signal(SIGKILL)
        let deadline = now() + patience
        while isRunning, now() < deadline { pause(.milliseconds(2)) }
    }

    private static func poll(_ pid: pid_t, _ state: inout State) -> Ending? {
        if let ending = state.ending { return ending }
        var status: Int32 = 0
        guard unsafe waitpid(pid, &status, WNOHANG) == pid else { return nil }
        state.ending = status & 0x7F == 0 ? .exited(status >> 8 & 0xFF) : .signalled(status & 0x7F)
        return state.ending
    }
}

/// A process's resources, as the kernel tells them.
extension Program {
    var descriptorCount: Int { descriptors.count }

    /// Its descriptors that are ends of pipes, which the relay keeps for later splices.
    var pipeEndCount: Int {
        // One that is closed while we look leads nowhere.
        descriptors.count {
            (try? FileManager.default.destinationOfSymbolicLink(atPath: $0))?.hasPrefix("pipe:") == true
        }
    }

    private var descriptors: [String] {
        let folder = "/proc/\(pid)/fd"
        let numbers = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return numbers.map { "\(folder)/\($0)" }
    }

    /// Processor time used so far, in the kernel too.
    var processorTime: Duration {
        // The name, in parentheses, may contain anything; utime and stime are the 12th and 13th field after it
        // (proc(5)).
        let fields = text(ofFile: "/proc/\(pid)/stat").split(separator: ")").last?.split(separator: " ") ?? []
        guard fields.count > 12, let user = Int(fields[11]), let system = Int(fields[12]) else { return .zero }
        return .milliseconds((user + system) * 1000 / max(1, sysconf(Int32(_SC_CLK_TCK))))
    }

    /// In bytes.
    var residentMemory: Int { memory("VmRSS:") }

    /// The most that it ever had, in bytes.
    var peakMemory: Int { memory("VmHWM:") }

    private func memory(_ name: String) -> Int {
        let line = text(ofFile: "/proc/\(pid)/status").split(separator: "\n").first { $0.hasPrefix(name) }
        let kilobytes = line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) }
        return (kilobytes ?? 0) * 1024
    }
}

/// The whole of a file, or nothing when it cannot be read.
func text(ofFile path: String) -> String {
    String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
}

/// Where programs are found: our own beside the test runner, all others where the system has them.
enum Executables {
    private static let ours: Set<String> = ["ddirect", "ddirect-control", "ddirect-proxy"]

    static func path(of name: String) throws -> String {
        let places = ours.contains(name) ? [products] : ["/usr/sbin", "/usr/bin", "/sbin", "/bin"]
        let paths = places.map { "\($0)/\(name)" }
        guard let path = paths.first(where: FileManager.default.isExecutableFile(atPath:)) else {
            throw Failure(
                "\(name) is not in \(places.joined(separator: ", ")); `deploy/install-packages test` installs what tests need"
            )
        }
        return path
    }

    /// The folder that this test bundle lies in; or another, for when executables of a release build are to be tried.
    static var products: String {
        if let folder = ProcessInfo.processInfo.environment["DDIRECT_BINARIES"] {
            return URL(fileURLWithPath: folder).standardizedFileURL.path
        }
        let bundle = CommandLine.arguments.first { $0.hasSuffix(".xctest") } ?? text(ofLink: "/proc/self/exe")
        return URL(fileURLWithPath: bundle).standardizedFileURL.deletingLastPathComponent().path
    }

    private static func text(ofLink path: String) -> String {
        (try? FileManager.default.destinationOfSymbolicLink(atPath: path)) ?? path
    }
}
