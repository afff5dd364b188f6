import HTTPTypes

extension HTTPField.Name {
    /// Marks a creation, so that sending it twice creates once.
    static let idempotencyKey = known("Idempotency-Key")
    /// On the answer to a creation that was done before.
    static let idempotencyReplayed = known("Idempotency-Replayed")
    /// The version that a change made.
    static let ddirectVersion = known("Ddirect-Version")

    /// The event that the reader of a stream has seen last (WHATWG HTML, "Server-sent events").
    static let lastEventID = known("Last-Event-ID")
    /// What nginx reads to know whether it may keep an answer back.
    static let accelBuffering = known("X-Accel-Buffering")

    /// Each is a token by RFC 9110, so the name can be made; what stands in for it is never seen.
    private static func known(_ name: String) -> HTTPField.Name { HTTPField.Name(name) ?? .server }
}
