import Daemon
import Domain
import Foundation
import Testing

@testable import ControlDaemon
@testable import Fleet
@testable import Probing
@testable import Store

@Suite struct `The store` {
    @Test func `a restart finds everything as it was, and versions go on`() async throws {
        try await withFolder { folder in
            let path = folder + "/control.db"
            let first = try await Store.open(at: path, exceptions: [])
            try await first.furnish()
            let before = first.state
            try await first.close()
            let second = try await Store.open(at: path, exceptions: [])
            #expect(second.state.incarnation == before.incarnation)
            #expect(second.state.holdsTheSame(as: before))
            #expect(try await second.recentChanges(limit: 2).map(\.version.number) == [2, 3])
            try await second.create(customer: "next")
            #expect(second.version.number == 4)
            try await second.close()
        }
    }

    @Test func `a commit is on the disk before it is a version`() async throws {
        try await withFolder { folder in
            let store = try await Store.open(at: folder + "/control.db", exceptions: [])
            // 2 is FULL (https://sqlite.org/pragma.html#pragma_synchronous): asked on the connection that writes.
            let level = try await store.write { try $0.rows("PRAGMA synchronous").first?.integer(0) }
            #expect(level == 2)
            try await store.close()
        }
    }

    @Test func `after a stop the database's file alone is a whole copy`() async throws {
        try await withFolder { folder in
            let path = folder + "/control.db"
            let store = try await Store.open(at: path, exceptions: [])
            try await store.furnish()
            let before = store.state
            try await store.close()
            let copy = folder + "/copy.db"
            try FileManager.default.copyItem(atPath: path, toPath: copy)
            let restored = try await Store.open(at: copy, exceptions: [])
            #expect(restored.state.holdsTheSame(as: before))
            #expect(restored.state.incarnation == before.incarnation)
            try await restored.close()
        }
    }

    @Test func `each database has an incarnation of its own`() async throws {
        try await withFolder { folder in
            let one = try await Store.open(at: folder + "/1.db", exceptions: [])
            let two = try await Store.open(at: folder + "/2.db", exceptions: [])
            #expect(one.state.incarnation != two.state.incarnation)
            try await one.close()
            try await two.close()
        }
    }

    @Test func `a restored version has the state of that version, on random histories`() async throws {
        try await withFolder { folder in
            let path = folder + "/control.db"
            let store = try await Store.open(at: path, exceptions: [])
            var random = SplitMix(state: 42)
            var history = [store.state]
            while history.count < 120 {
                await store.changeSomething(using: &random)
                if store.version.number == history.count { history.append(store.state) }
            }
            for _ in 0..<12 {
                let past = Int.random(in: 1..<history.count, using: &random)
                let request = ChangeRequest(author: "test", action: "version.restore", target: "\(past)")
                _ = try await store.restore(SnapshotVersion(UInt64(past)), request)
                #expect(store.state.holdsTheSame(as: history[past]))
                // And back, by what the version's own difference says.
                let newest = store.version
                let difference = try await store.difference(from: newest, to: SnapshotVersion(UInt64(past)))
                #expect(difference == [])
            }
            let final = store.state
            try await store.close()
            let reopened = try await Store.open(at: path, exceptions: [])
            #expect(reopened.state.holdsTheSame(as: final))
            try await reopened.close()
        }
    }

    @Test func `the newest changes lead from an old state to the present one`() async throws {
        try await withFolder { folder in
            let store = try await Store.open(at: folder + "/control.db", exceptions: [])
            var random = SplitMix(state: 3)
            var states = [store.state]
            while states.count < 60 {
                await store.changeSomething(using: &random)
                if store.version.number == states.count { states.append(store.state) }
            }
            var state = states[19]
            for change in try await store.recentChanges(limit: 40) { state.apply(change) }
            #expect(state.holdsTheSame(as: store.state))
            try await store.close()
        }
    }

    @Test func `committed changes are handed on in the order of their versions, however many write at once`()
        async throws
    {
        try await withFolder { folder in
            let store = try await Store.open(at: folder + "/control.db", exceptions: [])
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<40 { group.addTask { try await store.create(customer: "c\(number)") } }
                try await group.waitForAll()
            }
            let versions = try await store.recentChanges(limit: 100).map(\.version.number)
            #expect(versions == Array(1...40))
            try await store.close()
            var handed: [UInt64] = []
            for await made in store.changes { handed.append(made.change.version.number) }
            #expect(handed == Array(1...40))
        }
    }

    @Test func `of two writers who want the same client domain one gets it`() async throws {
        try await withFolder { folder in
            let store = try await Store.open(at: folder + "/control.db", exceptions: [])
            try await store.furnish()
            let outcomes = await withTaskGroup(of: Bool.self) { group in
                for number in 0..<20 {
                    group.addTask {
                        do {
                            try await store.create(service: "s\(number)", domain: "wanted.test")
                            return true
                        } catch {
                            return false
                        }
                    }
                }
                return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            #expect(outcomes == 1)
            #expect(store.version.number == 4)
            try await store.close()
        }
    }

    @Test func `a client domain is unique in the database too`() async throws {
        try await withFolder { folder in
            let store = try await Store.open(at: folder + "/control.db", exceptions: [])
            try await store.furnish()
            let failure = await #expect(throws: StoreFailure.self) {
                _ = try await store.write { connection in
                    try connection.execute("INSERT INTO client_domains (domain, service) VALUES ('app.test', 'app')")
                    return true
                }
            }
            guard case .constraint? = failure else {
                Issue.record("the failure is \(String(describing: failure))")
                return
            }
            try await store.close()
        }
    }

    @Test func `a full disk refuses changes, leaves nothing half done, and is got over`() async throws {
        try await Bench.run { bench in
            try await bench.furnish()
            let store = bench.store
            try await store.limitPages(toThoseInUse: true)
            var refused: Bench.Answer?
            for number in 0..<200 where refused == nil {
                let domains = (0..<50).map { "d\($0).s\(number).test" }
                let answer = try await bench.post("/services", Bench.service("s\(number)", domains: domains))
                if answer.status != 201 { refused = answer }
            }
            #expect(refused?.status == 503)
            #expect(refused?.problem == "unavailable")
            #expect(refused?.headers[.retryAfter] == "30")
            let version = store.version
            #expect(try await bench.get("/versions/\(version)").status == 200)
            #expect(try await bench.get("/services/s\(version.number - 4)").status == 404)
            #expect(
                try await bench.send(.get, "/metrics").text.contains("ddirect_control_store_failures_total 0") == false)
            try await store.limitPages(toThoseInUse: false)
            #expect(try await bench.post("/services", Bench.service("after", domains: ["after.test"])).status == 201)
            #expect(store.version.number == version.number + 1)
        }
    }

    @Test func `a database that another process has written to is not judged by old knowledge`() async throws {
        try await withFolder { folder in
            let path = folder + "/control.db"
            let one = try await Store.open(at: path, exceptions: [])
            let two = try await Store.open(at: path, exceptions: [])
            try await one.create(customer: "acme")
            let failure = await #expect(throws: StoreFailure.self) { try await two.create(customer: "acme") }
            guard case .busy? = failure else {
                Issue.record("the failure is \(String(describing: failure))")
                return
            }
            try await one.close()
            try await two.close()
        }
    }

    @Test func `the key of the fleet's probes is drawn once, and each fleet has its own`() async throws {
        let za1 = try ServerName("za1")
        try await withFolder { folder in
            var keys: [ProbeKey?] = []
            for name in ["one", "one", "two"] {
                let store = try await Store.open(at: folder + "/\(name).db", exceptions: [])
                keys.append(try await ProbeKeys.stored(in: store).key(of: za1))
                try await store.close()
            }
            #expect(keys[0] != nil)
            #expect(keys[0] == keys[1])
            #expect(keys[0] != keys[2])
        }
    }

    @Test func `a database of a newer release is refused`() async throws {
        try await withFolder { folder in
            let path = folder + "/control.db"
            let store = try await Store.open(at: path, exceptions: [])
            _ = try await store.write { connection in
                try connection.execute("INSERT INTO migrations (number, name, at) VALUES (99, 'later', 'now')")
                return true
            }
            try await store.close()
            let failure = await #expect(throws: StoreFailure.self) {
                _ = try await Store.open(at: path, exceptions: [])
            }
            guard let failure, case .tooNew(schema: 99, known: Schema.migrations.count) = failure else {
                Issue.record("the failure is \(String(describing: failure))")
                return
            }
            #expect(ExitCode(failure) == .configuration)
        }
    }

    @Test func `a damaged database is refused`() async throws {
        try await withFolder { folder in
            let path = folder + "/control.db"
            try Data(repeating: 0x41, count: 8192).write(to: URL(filePath: path))
            let failure = await #expect(throws: StoreFailure.self) {
                _ = try await Store.open(at: path, exceptions: [])
            }
            guard let failure, case .damaged = failure else {
                Issue.record("the failure is \(String(describing: failure))")
                return
            }
            #expect(ExitCode(failure) == .configuration)
        }
    }

    @Test func `a stored document that cannot be read is damage, and named`() async throws {
        try await withFolder { folder in
            let path = folder + "/control.db"
            let store = try await Store.open(at: path, exceptions: [])
            try await store.furnish()
            _ = try await store.write { connection in
                try connection.execute("UPDATE services SET document = '{\"name\":\"app\"}'")
                return true
            }
            try await store.close()
            let failure = await #expect(throws: StoreFailure.self) {
                _ = try await Store.open(at: path, exceptions: [])
            }
            #expect(failure?.description.contains("service app") == true)
        }
    }

    @Test func `a database in a folder that is not there cannot be opened`() async throws {
        let failure = await #expect(throws: StoreFailure.self) {
            _ = try await Store.open(at: "/nonexistent/control.db", exceptions: [])
        }
        guard let failure, case .cannotOpen = failure else {
            Issue.record("the failure is \(String(describing: failure))")
            return
        }
        #expect(ExitCode(failure) == .cannotCreate)
    }
}
