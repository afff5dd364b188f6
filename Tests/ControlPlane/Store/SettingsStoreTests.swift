import Domain
import Testing

@testable import Fleet
@testable import Store

@Suite struct `Zones and settings in the store` {
    private func set(_ settings: FleetSettings, in store: Store) async throws {
        try await store.propose([.settings(before: store.state.settings, after: settings)])
    }

    @Test func `a restart finds them as they were`() async throws {
        try await withFolder { folder in
            let first = try await Store.open(at: folder + "/control.db", exceptions: [])
            let zone = try Zone.sample("acme.test")
            try await first.propose([.zone(zone.name, before: nil, after: zone)])
            try await set(.every(60), in: first)
            try await set(.every(30), in: first)
            let before = first.state
            try await first.close()
            let second = try await Store.open(at: folder + "/control.db", exceptions: [])
            #expect(second.state.holdsTheSame(as: before))
            #expect(second.state.zones == [zone.name: zone])
            #expect(second.state.settings == .every(30))
            try await second.close()
        }
    }

    @Test func `settings are there before anybody has set any`() async throws {
        try await withFolder { folder in
            let store = try await Store.open(at: folder + "/control.db", exceptions: [])
            let untouched = try #require(try await store.record(.settings, FleetSettings.name))
            #expect(untouched.revision == SnapshotVersion(0))
            #expect(untouched.document == FleetSettings().document)
            #expect(untouched.createdAt == nil && untouched.updatedAt == nil)
            try await store.create(customer: "acme")
            try await set(.every(60), in: store)
            let record = try #require(try await store.record(.settings, FleetSettings.name))
            #expect(record.revision == SnapshotVersion(2))
            #expect(record.createdAt != nil)
            let (version, changes) = try #require(try await store.versionRecord(SnapshotVersion(2)))
            #expect(version.summary == "update settings: monitoring")
            #expect(changes.map(\.kind) == [.settings] && changes.map(\.name) == ["fleet"])
            #expect(changes.first?.before == FleetSettings().document)
            try await store.close()
        }
    }

    @Test func `a version from before they were set brings the usual ones back`() async throws {
        try await withFolder { folder in
            let store = try await Store.open(at: folder + "/control.db", exceptions: [])
            try await store.create(customer: "acme")
            try await set(.every(60), in: store)
            try await set(.every(30), in: store)
            let request = ChangeRequest(author: "test", action: "version.restore", target: "1")
            _ = try await store.restore(SnapshotVersion(1), request)
            #expect(store.state.settings == FleetSettings())
            #expect(store.version == SnapshotVersion(4))
            _ = try await store.restore(SnapshotVersion(2), request)
            #expect(store.state.settings == .every(60))
            try await store.close()
        }
    }

    private static let tablesBefore: Set<String> = [
        "migrations", "facts", "customers", "servers", "services", "service_servers", "client_domains", "versions",
        "changes", "audit", "answers", "tokens", "certificates", "revocations", "enrollment_tokens",
    ]

    @Test func `a database of the release before is taken as it is`() async throws {
        try await withFolder { folder in
            let path = folder + "/control.db"
            let old = try await Store.open(at: path, exceptions: [])
            try await old.furnish()
            let before = old.state
            // What that release had: its tables alone, and documents without what they gained.
            _ = try await old.write { connection in
                let tables = try connection.rows("SELECT name FROM sqlite_master WHERE type = 'table'").map {
                    try $0.text(0)
                }
                for table in tables where !Self.tablesBefore.contains(table) && !table.hasPrefix("sqlite_") {
                    try connection.executeScript("DROP TABLE \(table)")
                }
                try connection.executeScript(
                    """
                    DELETE FROM migrations WHERE number > 2;
                    UPDATE services SET document = replace(document, ',"dns":[],"check":null', '');
                    UPDATE changes SET after = replace(after, ',"dns":[],"check":null', '');
                    UPDATE servers SET document = substr(document, 1, instr(document, ',"monitoring"') - 1) || '}';
                    UPDATE changes SET after = substr(after, 1, instr(after, ',"monitoring"') - 1) || '}'
                        WHERE kind = 'server';
                    """)
                return true
            }
            try await old.close()
            let new = try await Store.open(at: path, exceptions: [])
            #expect(new.state.holdsTheSame(as: before))
            #expect(try await new.recentChanges(limit: 9).count == 3)
            let request = ChangeRequest(author: "test", action: "version.restore", target: "3")
            // Nothing has changed since but how it is written.
            guard case .unchanged = try await new.restore(SnapshotVersion(3), request) else {
                Issue.record("restoring the newest version changed something")
                return
            }
            try await new.close()
        }
    }
}
