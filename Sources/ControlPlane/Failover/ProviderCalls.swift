import DNS
import Domain

/// Calls the providers of zones, so many at a time: each call is a connection or a process.
actor ProviderCalls {
    /// Of all providers together.
    private static let most = 64
    /// Of one DNS server. BIND lets ten connections wait, and the eleventh waits for a second.
    static let mostOfOne = 8

    private let all = Turnstile(places: most)
    /// The servers that have calls now, and how many: a server that is called no more is forgotten.
    private var places: [String: (turnstile: Turnstile, calls: Int)] = [:]
    private let provider: @Sendable (Zone) -> any DNSProvider

    init(_ provider: @escaping @Sendable (Zone) -> any DNSProvider) { self.provider = provider }

    /// Makes a call to the provider of a zone when it is its turn. Throws the error of the call, or a
    /// `CancellationError` when it is cancelled before its turn.
    func to<Answer: Sendable>(
        _ zone: Zone, _ call: @Sendable (any DNSProvider) async throws -> Answer
    ) async throws -> Answer {
        let place = zone.provider.place
        let turnstile = enter(place)
        defer { leave(place) }
        let (all, provider) = (all, provider(zone))
        return try await turnstile.pass { try await all.pass { try await call(provider) } }
    }

    /// How many servers have calls under way or waiting.
    var busyPlaces: Int { places.count }

    private func enter(_ place: String) -> Turnstile {
        let known = places[place] ?? (Turnstile(places: ProviderCalls.mostOfOne), 0)
        places[place] = (known.turnstile, known.calls + 1)
        return known.turnstile
    }

    private func leave(_ place: String) {
        guard let known = places[place] else { return }
        places[place] = known.calls == 1 ? nil : (known.turnstile, known.calls - 1)
    }
}
