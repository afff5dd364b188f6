import Foundation
import Testing

/// What something took is printed, and no test fails by it: a machine may be slow, or do other things beside.
///
/// `make bench` and `make game-day` hold some figures to what we promise, with the release build and on a machine that
/// does nothing else.
enum Figures {
    /// Whether this is such a run.
    static let areHeld = ProcessInfo.processInfo.environment["DDIRECT_FIGURES"] == "held"
}

/// Prints what something took, and holds it to `limit` where figures are held.
func figure(
    _ what: String, _ taken: Duration, under limit: Duration, sourceLocation: SourceLocation = #_sourceLocation
) {
    let isHeld = Figures.areHeld
    print("figure: \(what): \(taken.milliseconds) ms, \(isHeld ? "held to" : "promised") \(limit.milliseconds) ms")
    guard isHeld, taken >= limit else { return }
    Issue.record("\(what) took \(taken), which is no less than \(limit)", sourceLocation: sourceLocation)
}
