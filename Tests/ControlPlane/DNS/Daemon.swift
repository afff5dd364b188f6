import Domain
import Foundation
import NIOCore
import NIOPosix

@testable import DNS

/// How long a test waits for a fact. Only a fault takes so long, however slow the machine is.
let patience = Duration.seconds(240)

/// Why a test could not go on.
struct Failure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// A program that serves a test, in a folder of its own. It ends with the test runner, however that ends: a shell holds
/// it, and waits for the end of a pipe that only the runner keeps open.
final class Daemon: @unchecked Sendable {
    let folder: String
    private let process = Process()
    private let leash = Pipe()

    /// A folder for what the program needs. It goes when the program does.
    static func folder() throws -> String {
        let folder = NSTemporaryDirectory() + "ddirect-dns-\(UInt32.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        return folder
    }

    /// A folder in a program's own, for the credentials of those who call it.
    static func credentials(in folder: String, _ texts: [String: String]) throws -> Credentials {
        let secrets = "\(folder)/secrets"
        try FileManager.default.createDirectory(
            atPath: secrets, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        for (name, text) in texts { try write(text, to: "\(secrets)/\(name)") }
        return Credentials(folder: secrets)
    }

    init(_ name: String, _ arguments: [String], in folder: String) throws {
        self.folder = folder
        let script = #""$@" > "$FOLDER/log" 2>&1 & read -r end; kill -9 $!; rm -rf "$FOLDER""#
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", script, "sh", try Daemon.path(of: name)] + arguments
        process.environment = ProcessInfo.processInfo.environment.merging(["FOLDER": folder]) { $1 }
        process.standardInput = leash
        try process.run()
    }

    deinit { try? leash.fileHandleForWriting.close() }

    var log: String { (try? String(contentsOfFile: "\(folder)/log", encoding: .utf8)) ?? "" }

    /// Kills it, and returns when it is gone.
    func stop() {
        try? leash.fileHandleForWriting.close()
        process.waitUntilExit()
    }

    static func path(of name: String) throws -> String {
        guard !name.hasPrefix("/") else { return name }
        let paths = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"].map { "\($0)/\(name)" }
        guard let path = paths.first(where: FileManager.default.isExecutableFile(atPath:)) else {
            throw Failure("\(name) is not installed; `deploy/install-packages test` installs what tests need")
        }
        return path
    }

    /// Waits until it does what it is there for.
    func awaitReady(_ isReady: () async -> Bool) async throws {
        let deadline = ContinuousClock.now + patience
        while await !isReady() {
            guard ContinuousClock.now < deadline else {
                throw Failure("not ready in time; it says: \(log.suffix(2000))")
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }
}

/// A folder of a test's own, which the test removes.
struct Scratch {
    let path: String

    init() throws { path = try Daemon.folder() }

    func remove() { try? FileManager.default.removeItem(atPath: path) }
}

/// Runs a program to its end.
func succeed(_ name: String, _ arguments: [String], input: String = "") throws {
    let folder = try Scratch()
    defer { folder.remove() }
    try write(input, to: "\(folder.path)/input")
    let process = Process()
    process.executableURL = URL(fileURLWithPath: try Daemon.path(of: name))
    process.arguments = arguments
    process.standardInput = FileHandle(forReadingAtPath: "\(folder.path)/input")
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw Failure("\(name) ended with \(process.terminationStatus)") }
}

func write(_ text: String, to path: String, mode: Int = 0o600) throws {
    let isWritten = FileManager.default.createFile(
        atPath: path, contents: Data(text.utf8), attributes: [.posixPermissions: mode])
    guard isWritten else { throw Failure("cannot write \(path)") }
}

extension TransportAddress {
    /// A place of this machine where nothing listens, and nobody looks for anything but this test.
    static func free(at address: String = "127.0.0.1") async throws -> TransportAddress {
        let server = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        for _ in 0..<100 {
            // Below those that the kernel gives to connections, one of which could take it in the meantime.
            let port = UInt16.random(in: 12_000...32_000)
            guard let channel = try? await server.bind(host: address, port: Int(port)).get() else { continue }
            try await channel.close()
            return TransportAddress(try Address(address), port: port)
        }
        throw Failure("no port of \(address) is free")
    }
}

/// Takes connections and says nothing, ever.
struct SilentServer {
    let address: TransportAddress
    private let channel: any Channel

    init() async throws {
        channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton).bind(
            host: "127.0.0.1", port: 0
        ).get()
        address = TransportAddress(try Address("127.0.0.1"), port: UInt16(channel.localAddress?.port ?? 0))
    }

    func close() async { try? await channel.close() }
}
