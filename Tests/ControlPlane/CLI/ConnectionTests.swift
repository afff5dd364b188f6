import Foundation
import Testing

@testable import ddirect

@Suite struct `Reaching the API` {
    func access(
        api: String? = nil, file: String? = nil, _ environment: [String: String] = [:], stored: LoginFile? = nil
    ) throws -> Access {
        try Access(api: api, tokenFile: file, environment: environment, stored: stored) { "from-\($0)" }
    }

    let stored = LoginFile(api: "https://fleet.test", token: "kept")

    @Test func `the nearest to the command line wins`() throws {
        let environment = ["DDIRECT_API": "http://env.test", "DDIRECT_TOKEN": "variable", "DDIRECT_TOKEN_FILE": "path"]
        #expect(try access().api == "http://127.0.0.1:7080")
        #expect(try access(stored: stored).api == "https://fleet.test")
        #expect(try access(environment, stored: stored).api == "http://env.test")
        #expect(try access(api: "http://flag.test/", environment, stored: stored).api == "http://flag.test")
        #expect(try access(environment).token == "variable")
        #expect(try access(file: "flag", environment).token == "from-flag")
        #expect(try access(["DDIRECT_TOKEN": "", "DDIRECT_TOKEN_FILE": "path"]).token == "from-path")
        #expect(try access(stored: stored).token == "kept")
    }

    @Test func `a stored token goes to no other API`() throws {
        #expect(try access(api: "http://other.test", stored: stored).token == nil)
    }

    @Test(arguments: [
        "", "fleet.test", "ftp://fleet.test", "http://", "http://fleet.test/api/v1", "http://a:b@fleet.test",
        "http://x?y",
    ])
    func `what is no address of an API is refused`(api: String) {
        #expect(throws: Failure.self) { try access(api: api) }
    }

    @Test func `a token that could break out of its header is refused`() {
        #expect(throws: Failure.self) { try access(["DDIRECT_TOKEN": "abc\r\nX-Evil: 1"]) }
    }

    @Test func `a name cannot reach into another path`() {
        #expect(
            Call(.get, "services", "../tokens?x=1#y").url(below: "http://a")
                == "http://a/api/v1/services/..%2Ftokens%3Fx%3D1%23y")
    }

    @Test func `only what says the same twice is sent twice`() throws {
        #expect(Call(.get, "services").mayBeRepeated)
        #expect(Call(creating: "services", [:]).mayBeRepeated)
        #expect(!Call(.post, "versions", "41", "restore").mayBeRepeated)
        #expect(!Call(.post, "tokens").mayBeRepeated)
        #expect(try !Call(editing: "a", of: "services", ["customer": "b"], RevisionOptions.parse([])).mayBeRepeated)
    }

    @Test func `every creation has a key of its own`() {
        let keys = (0..<100).compactMap { _ in Call(creating: "services", [:]).idempotencyKey }
        #expect(Set(keys).count == 100)
    }

    @Test func `credentials are kept where only their owner can read them`() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("ddirect-\(UUID())").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let file = try #require(LoginFile.file(environment: ["HOME": "/nowhere", "XDG_CONFIG_HOME": folder]))
        #expect(file == "\(folder)/ddirect/credentials")
        #expect(try LoginFile.stored(in: file) == nil)
        try FileManager.default.createDirectory(atPath: "\(folder)/ddirect", withIntermediateDirectories: true)
        // Even where a file that others can read was there before.
        #expect(
            FileManager.default.createFile(
                atPath: file, contents: Data("{}".utf8), attributes: [.posixPermissions: 0o644]))
        try stored.store(in: file)
        #expect(try LoginFile.stored(in: file) == stored)
        #expect(try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int == 0o600)
        for text in ["garbage", #"{"api": "https://fleet.test"}"#, #"{"api": "https://fleet.test", "token": 1}"#] {
            try Data(text.utf8).write(to: URL(fileURLWithPath: file))
            #expect(throws: Failure.self) { try LoginFile.stored(in: file) }
        }
    }
}
