import Domain
import FoundationEssentials
import JSON
import Subprocess
import SystemPackage

/// A zone that is changed by an executable of the operator's, for providers that nobody here knows.
///
/// It is given what is to be done as JSON on standard input, does it, says what became of it as JSON on standard
/// output, and ends with exit code 0 (`CommandDocument`). With any other, the first line of standard error is the
/// reason. The condition is its to keep.
struct CommandProvider: DNSProvider {
    let zone: DomainName
    let path: String
    /// For one run; then it is killed, with all that it has started.
    var limit = Duration.seconds(10)

    /// Of each of its outputs, in octets: some 10,000 names.
    private static let longestOutput = 1 << 20
    /// What a service manager tells us, and is not meant for what we start.
    private static let withheld: [Environment.Key] = [
        "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES",
    ]

    func present(_ names: [DomainName]) async throws -> [DomainName: [RecordSet]] {
        let said = try await run(CommandDocument.present(zone, names), isChange: false)
        return try understood(isChange: false) { try CommandDocument.readPresent(said, names) }
    }

    func apply(_ changes: [RecordChange]) async throws -> ZoneOutcome {
        let said = try await run(CommandDocument.change(zone, changes, isRehearsal: false), isChange: true)
        return try understood(isChange: true) { try CommandDocument.readOutcome(said) }
    }

    func rehearse(_ changes: [RecordChange]) async throws -> ZoneOutcome {
        let said = try await run(CommandDocument.change(zone, changes, isRehearsal: true), isChange: false)
        return try understood(isChange: false) { try CommandDocument.readOutcome(said) }
    }

    // MARK: -

    private func understood<Value>(isChange: Bool, _ read: () throws -> Value) throws -> Value {
        do {
            return try read()
        } catch {
            throw DNSFailure(
                kind: .unavailable, reason: "\(path) says what cannot be understood: \(error)",
                mayHaveHappened: isChange)
        }
    }

    private typealias Ending = (status: TerminationStatus, output: [UInt8], errors: String)

    private func run(_ document: JSONValue, isChange: Bool) async throws -> [UInt8] {
        try checkFile()
        let end = ContinuousClock.now + limit
        let ending: Ending
        do {
            ending = try await withThrowingTaskGroup(of: Ending?.self) { group in
                group.addTask { try await start(document) }
                group.addTask {
                    try await Task.sleep(until: end)
                    return nil
                }
                // The executable is killed when its task is cancelled, and waited for.
                defer { group.cancelAll() }
                guard let ending = try await group.next() ?? nil else {
                    throw DNSFailure(
                        kind: .unavailable, reason: "\(path) has not ended within \(limit), and was killed",
                        mayHaveHappened: isChange)
                }
                return ending
            }
        } catch let error as Errno {
            throw DNSFailure(
                kind: .unavailable,
                reason: "what \(path) is to be told cannot be written to a file in /tmp (\(error)); expected room there"
            )
        } catch let error as SubprocessError {
            let isStarted = ![.spawnFailed, .executableNotFound].contains(error.code)
            let words =
                error.code == .outputLimitExceeded
                ? "writes more than \(CommandProvider.longestOutput) octets" : "fails: \(error)"
            throw DNSFailure(kind: .unavailable, reason: "\(path) \(words)", mayHaveHappened: isChange && isStarted)
        }
        guard ending.status.isSuccess else {
            let line = ending.errors.split(whereSeparator: \.isNewline).first.map { ": " + String($0).asOneLine } ?? ""
            throw DNSFailure(
                kind: .unavailable, reason: "\(path) \(ending.status.words)\(line)", mayHaveHappened: isChange)
        }
        return ending.output
    }

    /// It runs as we do, with all that we may do: nobody else may write it.
    private func checkFile() throws(DNSFailure) {
        let executable = FilePath(path)
        guard FileManager.default.isExecutableFile(atPath: path), let file = try? Stat(executable),
            file.type == .regular, let folder = try? Stat(executable.removingLastComponent())
        else {
            throw DNSFailure(
                kind: .refused, reason: "\(path) cannot be run; expected an executable that ddirect-control may run")
        }
        // A user who may write the folder can put another executable in its place.
        guard file.permissions.union(folder.permissions).isDisjoint(with: [.groupWrite, .otherWrite]) else {
            throw DNSFailure(
                kind: .refused,
                reason: "\(path) or its folder may be written by others than its owner; expected mode 0755 for both")
        }
    }

    private func start(_ document: JSONValue) async throws -> Ending {
        var options = PlatformOptions()
        // A session of its own, so that what it has started is killed with it.
        options.createSession = true
        options.teardownSequence = [.send(signal: .kill, toProcessGroup: true, allowedDurationToNextStep: .zero)]
        let changes = Dictionary(uniqueKeysWithValues: CommandProvider.withheld.map { ($0, String?.none) })
        let result = try await Subprocess.run(
            .path(FilePath(path)), environment: .inherit.updating(changes), workingDirectory: "/",
            platformOptions: options,
            input: .fileDescriptor(try file(with: document), closeAfterSpawningProcess: true),
            output: .bytes(limit: CommandProvider.longestOutput), error: .string(limit: CommandProvider.longestOutput))
        return (result.terminationStatus, result.standardOutput, result.standardError)
    }

    /// A file without a name, which holds all that there is to read. Through a pipe, an executable that does not read
    /// it would hold us up, and one that has ended would end us (SIGPIPE).
    private func file(with document: JSONValue) throws -> FileDescriptor {
        let withoutName = FileDescriptor.OpenOptions(rawValue: 0o20200000)  // O_TMPFILE
        let file = try FileDescriptor.open(
            FilePath("/tmp"), .readWrite, options: [withoutName, .closeOnExec], permissions: .ownerReadWrite)
        do {
            try file.writeAll(Array(document.description.utf8))
            try file.seek(offset: 0, from: .start)
        } catch {
            try file.close()
            throw error
        }
        return file
    }
}

extension TerminationStatus {
    fileprivate var words: String {
        switch self {
        case .exited(let code): "ended with exit code \(code)"
        case .signaled(let number): "was ended by signal \(number)"
        }
    }
}
