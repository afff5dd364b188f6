import Hummingbird

/// What holds for the whole fleet: always there, and set but never created or deleted.
struct SettingsRoutes: Routes {
    let resources: Resources

    var operations: [Operation] {
        [
            Operation(.get, "/api/v1/settings", needs: .readFleet, .showSettings) {
                try await resources.show(.settings, $0)
            },
            Operation(.patch, "/api/v1/settings", needs: .changeSettings, .updateSettings) {
                try await resources.update(.settings, $0)
            },
        ]
    }
}
