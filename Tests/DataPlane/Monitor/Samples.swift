import Domain
import Foundation

@testable import DataPlane

/// A board, and what is usually on it.
enum Samples {
    static func board() throws -> StatusBoard {
        StatusBoard(server: try ServerName("za1"), startTime: 1_767_225_600_042_000_000)
    }

    static func applied(_ version: UInt64, hostname: String = "za1.dfree.test") throws -> Status.Applied {
        Status.Applied(
            incarnation: Incarnation(0xBEEF), version: SnapshotVersion(version), region: try RegionName("af-south-1"),
            hostname: try DomainName(hostname))
    }

    static func servingBoard() throws -> StatusBoard {
        let board = try board()
        board.applied(try applied(42))
        board.stage(.serving)
        board.connected(true)
        return board
    }
}

/// A program that judges what we make. Without it a test fails: one that is passed over is not missed by anyone.
struct Tool {
    let path: String
    let package: String

    static let openssl = Tool(path: "/usr/bin/openssl", package: "openssl")
    static let promtool = Tool(path: "/usr/bin/promtool", package: "prometheus")

    struct IsMissing: Error, CustomStringConvertible {
        let description: String
    }
}

/// Runs a program to its end, with `input` as its standard input. One that does not end by itself is ended, with status
/// 124.
func run(_ tool: Tool, _ arguments: [String], input: [UInt8]) throws -> (status: Int32, output: String) {
    guard FileManager.default.isExecutableFile(atPath: tool.path) else {
        throw Tool.IsMissing(
            description:
                "\(tool.path) is missing: it is in the package \(tool.package); `deploy/install-packages test` installs it"
        )
    }
    let process = Foundation.Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/timeout")
    process.arguments = ["20", tool.path] + arguments
    let file = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try Data(input).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    let output = Pipe()
    process.standardInput = try FileHandle(forReadingFrom: file)
    process.standardOutput = output
    process.standardError = output
    try process.run()
    let bytes = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: bytes, as: UTF8.self))
}
