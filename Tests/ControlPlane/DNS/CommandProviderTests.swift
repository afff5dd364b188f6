import Domain
import Foundation
import Testing

@testable import DNS
@testable import JSON

@Suite struct `A command that changes a zone` {
    let zone: DomainName
    let app: DomainName
    let za1 = RecordSet.alias("za1.dfree.test")
    let ie1 = RecordSet.alias("ie1.dfree.test", ttl: 7)

    init() throws {
        zone = try DomainName("acme.test")
        app = try DomainName("app.acme.test")
    }

    private var change: RecordChange { RecordChange(name: app, expected: [za1], wanted: [ie1]) }

    /// A provider whose executable is this script, in a folder where it may leave things.
    private func provider(_ script: String, limit: Duration = patience) throws -> (CommandProvider, folder: Scratch) {
        let folder = try Scratch()
        try write("#!/bin/sh\ncd \(folder.path)\n\(script)\n", to: "\(folder.path)/change-dns", mode: 0o700)
        return (CommandProvider(zone: zone, path: "\(folder.path)/change-dns", limit: limit), folder)
    }

    private func heard(_ folder: Scratch) throws -> JSONValue {
        try JSONValue.parse(Array(Data(contentsOf: URL(fileURLWithPath: "\(folder.path)/heard"))))
    }

    @Test func `is told the change, and says that it is done`() async throws {
        let (provider, folder) = try provider(#"cat > heard; echo '{"outcome":"done"}'"#)
        defer { folder.remove() }
        #expect(try await provider.apply([change]) == .done)
        let expected: JSONValue = [
            "operation": "apply", "zone": "acme.test",
            "changes": [
                [
                    "name": "app.acme.test", "expected": [["type": "CNAME", "ttl": 5, "values": ["za1.dfree.test"]]],
                    "wanted": [["type": "CNAME", "ttl": 7, "values": ["ie1.dfree.test"]]],
                ]
            ],
        ]
        #expect(try heard(folder) == expected)
        #expect(try await provider.rehearse([change]) == .done)
        #expect(try heard(folder).object?["operation"] == "rehearse")
    }

    @Test func `is asked what names say`() async throws {
        let answer =
            #"{"present":{"app.acme.test":[{"type":"CNAME","ttl":5,"values":["ZA1.dfree.test."]}],"www.acme.test":[]}}"#
        let (provider, folder) = try provider("cat > heard; echo '\(answer)'")
        defer { folder.remove() }
        let www = try DomainName("www.acme.test")
        #expect(try await provider.present([app, www]) == [app: [za1], www: []])
        let expected: JSONValue = [
            "operation": "present", "zone": "acme.test", "names": ["app.acme.test", "www.acme.test"],
        ]
        #expect(try heard(folder) == expected)
        let failure = await caught { _ = try await provider.present([app, DomainName("more.acme.test")]) }
        #expect(failure?.reason.contains("more.acme.test") == true)
    }

    @Test func `says what is there instead`() async throws {
        let answer =
            #"{"outcome":"conflict","present":{"app.acme.test":[{"type":"A","ttl":9,"values":["192.0.2.9"]}]}}"#
        let (provider, folder) = try provider("echo '\(answer)'")
        defer { folder.remove() }
        #expect(try await provider.apply([change]) == .conflict(present: [app: [.ipv4("192.0.2.9", ttl: 9)]]))
    }

    @Test func `need not read what it is told`() async throws {
        let names = try (0..<5000).map {
            RecordChange(name: try DomainName("n\($0).acme.test"), expected: [za1], wanted: [ie1])
        }
        let (provider, folder) = try provider(#"exec echo '{"outcome":"done"}'"#)
        defer { folder.remove() }
        #expect(try await provider.apply(names) == .done)
    }

    @Test func `is heard to the end, time after time`() async throws {
        let (provider, folder) = try provider(#"printf '{"outcome":"done"}'"#)
        defer { folder.remove() }
        for _ in 0..<50 { #expect(try await provider.apply([change]) == .done) }
    }

    @Test func `that fails says why in the first line of its errors`() async throws {
        let (provider, folder) = try provider("echo 'no such zone' >&2; echo 'more words' >&2; exit 3")
        defer { folder.remove() }
        let failure = await caught { _ = try await provider.apply([change]) }
        #expect(failure?.kind == .unavailable)
        #expect(failure?.mayHaveHappened == true)
        #expect(failure?.reason.hasSuffix("exit code 3: no such zone") == true, "\(failure?.reason ?? "")")
        let rehearsal = await caught { _ = try await provider.rehearse([change]) }
        #expect(rehearsal?.mayHaveHappened == false)
    }

    @Test(arguments: ["", "echo done", "echo '[]'", #"echo '{"outcome":"maybe"}'"#, #"echo '{"outcome":"conflict"}'"#])
    func `that says something else is not believed`(_ script: String) async throws {
        let (provider, folder) = try provider(script)
        defer { folder.remove() }
        let failure = await caught { _ = try await provider.apply([change]) }
        #expect(failure?.kind == .unavailable)
        #expect(failure?.mayHaveHappened == true)
    }

    @Test func `that does not end is killed, with what it has started`() async throws {
        let (provider, folder) = try provider("sleep 600 & echo $! > child; sleep 600", limit: .seconds(3))
        defer { folder.remove() }
        let failure = await caught { _ = try await provider.apply([change]) }
        #expect(failure?.kind == .unavailable)
        #expect(failure?.mayHaveHappened == true)
        let child = try String(contentsOfFile: "\(folder.path)/child", encoding: .utf8).split(separator: "\n")[0]
        let deadline = ContinuousClock.now + patience
        func isAlive() -> Bool {
            let state = (try? String(contentsOfFile: "/proc/\(child)/stat", encoding: .utf8)) ?? ") Z"
            return state.split(separator: ")").last?.hasPrefix(" Z") == false
        }
        while isAlive(), ContinuousClock.now < deadline { try await Task.sleep(for: .milliseconds(20)) }
        #expect(!isAlive())
    }

    @Test func `that never stops talking is not listened to`() async throws {
        let (provider, folder) = try provider("exec yes")
        defer { folder.remove() }
        let failure = await caught { _ = try await provider.present([app]) }
        #expect(failure?.kind == .unavailable)
        #expect(failure?.reason.contains("1048576") == true)
    }

    @Test func `that is not there, cannot be run, or may be written by others, is refused`() async throws {
        let folder = try Scratch()
        defer { folder.remove() }
        try write("#!/bin/sh\n", to: "\(folder.path)/plain", mode: 0o600)
        try write("#!/bin/sh\n", to: "\(folder.path)/open", mode: 0o777)
        let shared = "\(folder.path)/shared"
        try FileManager.default.createDirectory(atPath: shared, withIntermediateDirectories: false)
        try write("#!/bin/sh\n", to: "\(shared)/change-dns", mode: 0o755)
        try FileManager.default.setAttributes([.posixPermissions: 0o775], ofItemAtPath: shared)
        for name in ["absent", "plain", "open", "", "shared/change-dns"] {
            let provider = CommandProvider(zone: zone, path: "\(folder.path)/\(name)")
            let failure = await caught { _ = try await provider.apply([change]) }
            #expect(failure?.kind == .refused)
            #expect(failure?.mayHaveHappened == false)
        }
    }
}
