import Domain
import Foundation
import Testing

@testable import DNS

@Suite struct `A credential` {
    let folder: Scratch
    let credentials: Credentials
    let name: CredentialName

    init() throws {
        name = try CredentialName("key")
        folder = try Scratch()
        credentials = Credentials(folder: folder.path)
    }

    private func put(_ text: String, mode: Int = 0o600) throws { try write(text, to: "\(folder.path)/key", mode: mode) }

    private var problem: String? {
        do {
            _ = try credentials.text(name)
            return nil
        } catch {
            return error.description
        }
    }

    @Test func `is the text of its file, without the newline at its end`() throws {
        defer { folder.remove() }
        try put("s3cret\n")
        #expect(try credentials.text(name) == "s3cret")
        // Read anew each time.
        try put("two\nlines\r\n")
        #expect(try credentials.text(name) == "two\nlines")
        // As systemd makes them.
        try put("s3cret", mode: 0o440)
        #expect(try credentials.text(name) == "s3cret")
    }

    @Test(arguments: [0o604, 0o644, 0o602, 0o620])
    func `that others may have read or written is not used`(_ mode: Int) throws {
        defer { folder.remove() }
        try put("s3cret", mode: mode)
        #expect(problem?.contains("\(folder.path)/key has mode 0\(String(mode, radix: 8))") == true)
        #expect(problem?.contains("s3cret") == false)
    }

    @Test(arguments: [
        ("\n", "is empty"), (String(repeating: "a", count: 65_537), "65537 octets"), ("a\0b", "is no text"),
    ])
    func `that is empty, too long or no text is not used`(_ text: String, _ words: String) throws {
        defer { folder.remove() }
        try put(text)
        #expect(problem?.contains(words) == true)
    }

    @Test func `that is not there is named, and so is a folder in its place`() throws {
        defer { folder.remove() }
        #expect(problem?.hasPrefix("the credential \(folder.path)/key is not there") == true)
        try FileManager.default.createDirectory(atPath: "\(folder.path)/key", withIntermediateDirectories: false)
        #expect(problem?.contains("is no file") == true)
    }
}
