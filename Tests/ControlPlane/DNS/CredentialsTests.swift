import Domain
import Foundation
import Testing

@testable import ControlPlane

@Suite struct `A credential` {
    private func with(_ text: String, mode: Int = 0o600, _ body: (Credentials, CredentialName) throws -> Void) throws {
        let folder = try Daemon.folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try write(text, to: "\(folder)/key", mode: mode)
        try body(Credentials(folder: folder), CredentialName("key"))
    }

    private func problem(_ credentials: Credentials, _ name: CredentialName) -> String? {
        do {
            _ = try credentials.text(name)
            return nil
        } catch {
            return error.description
        }
    }

    @Test func `is the text of its file, without the newline at its end`() throws {
        try with("s3cret\n") { #expect(try $0.text($1) == "s3cret") }
        try with("two\nlines\r\n") { #expect(try $0.text($1) == "two\nlines") }
        // As systemd makes them.
        try with("s3cret", mode: 0o440) { #expect(try $0.text($1) == "s3cret") }
    }

    @Test func `is read anew each time`() throws {
        try with("old") { credentials, name in
            #expect(try credentials.text(name) == "old")
            try write("new", to: "\(credentials.folder)/key")
            #expect(try credentials.text(name) == "new")
        }
    }

    @Test(arguments: [0o604, 0o644, 0o602, 0o620])
    func `that others may have read or written is not used`(_ mode: Int) throws {
        try with("s3cret", mode: mode) { credentials, name in
            let problem = problem(credentials, name)
            #expect(problem?.contains("\(credentials.folder)/key has mode 0\(String(mode, radix: 8))") == true)
            #expect(problem?.contains("s3cret") == false)
        }
    }

    @Test func `that is empty, too long or no text is not used`() throws {
        try with("\n") { #expect(problem($0, $1)?.contains("is empty") == true) }
        try with(String(repeating: "a", count: 65_537)) { #expect(problem($0, $1)?.contains("65537 octets") == true) }
        try with("a\0b") { #expect(problem($0, $1)?.contains("is no text") == true) }
    }

    @Test func `that is not there is named, and so is a folder in its place`() throws {
        let folder = try Daemon.folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let credentials = Credentials(folder: folder)
        #expect(problem(credentials, try CredentialName("key"))?.hasPrefix("the credential \(folder)/key is not there") == true)
        try FileManager.default.createDirectory(atPath: "\(folder)/key", withIntermediateDirectories: false)
        #expect(problem(credentials, try CredentialName("key"))?.contains("is no file") == true)
    }
}
