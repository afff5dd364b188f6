import Syscalls

/// What `/metrics` says of names.
extension Metrics {
    func names(into text: inout MetricsText) {
        let names = status.names
        text.metric("ddirect_endpoint_names", .gauge, "Names of endpoints, by whether an address of theirs is known.")
        text.sample(UInt64(clamping: names.names - names.unresolved), ["status": "resolved"])
        text.sample(UInt64(clamping: names.unresolved), ["status": "unresolved"])
        text.metric(
            "ddirect_endpoint_names_troubled", .gauge,
            "Names that have no address, or only such as no name server confirms any more.")
        text.sample(UInt64(clamping: names.troubled))
        text.metric("ddirect_name_questions_total", .counter, "Questions to DNS, each about one name and one family.")
        text.sample(names.counts.questions)
        text.metric("ddirect_name_answers_total", .counter, "What came of questions to DNS.")
        text.sample(names.counts.addresses, ["answer": "addresses"])
        text.sample(names.counts.nothing, ["answer": "nothing"])
        for failure in NameFailure.allCases {
            text.sample(names.counts.failures[failure] ?? 0, ["answer": failure.label])
        }
        text.metric("ddirect_name_questions_open", .gauge, "Questions to DNS that have not been answered yet.")
        text.sample(UInt64(clamping: names.underWay))
        text.metric("ddirect_name_questions_waiting", .gauge, "Questions to DNS that are due and have had no turn yet.")
        text.sample(UInt64(clamping: names.inLine))
        guard !names.worst.isEmpty else { return }
        let which = "Only for the hundred names in trouble that have had no good answer for longest."
        text.metric(
            "ddirect_endpoint_name_age_seconds", .gauge,
            "Time since the last good answer or, where there was none, since the name came. \(which)")
        for name in names.worst {
            text.sample(name.age / 1000, ["name": name.name, "serving": name.isServing ? "stale" : "nothing"])
        }
        text.metric(
            "ddirect_endpoint_name_failed_seconds", .gauge,
            "Time since there was no answer, with the reason. \(which)")
        for name in names.worst {
            guard let failure = name.failure else { continue }
            text.sample(name.failureAge / 1000, ["name": name.name, "reason": failure.label])
        }
    }
}

extension NameFailure {
    var label: String {
        switch self {
        case .timedOut: "timed_out"
        case .unreachable: "unreachable"
        case .serverFailure: "server_failure"
        case .refused: "refused"
        case .malformed: "malformed"
        case .ours: "ours"
        }
    }
}
