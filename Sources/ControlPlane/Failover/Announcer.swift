import Domain
import Logging
import Notices

/// Tells what happens in failover: in the log, as an event, and as an alert where somebody has to know.
struct Announcer: Sendable {
    private let logger: Logger
    private let tell: @Sendable (FleetEvent.Kind, ServerName?, String) async -> Void
    private let announce: @Sendable (FleetEvent.Kind, ServerName?, String) -> Void

    /// `tell` makes an event, and an alert of some; `announce` an event whose alert stands in the store already.
    init(
        logger: Logger, tell: @escaping @Sendable (FleetEvent.Kind, ServerName?, String) async -> Void,
        announce: @escaping @Sendable (FleetEvent.Kind, ServerName?, String) -> Void
    ) {
        self.logger = logger
        self.tell = tell
        self.announce = announce
    }

    func tell(_ kind: FleetEvent.Kind, _ server: ServerName?, _ detail: String) async {
        log(kind, server, detail)
        await tell(kind, server, detail)
    }

    /// Tells what was stored with a step of a failover.
    func announce(_ news: FailoverNews, of failover: Failover) {
        let detail = news.words(of: failover.id)
        log(news.kind, failover.server, detail)
        announce(news.kind, failover.server, detail)
    }

    private func log(_ kind: FleetEvent.Kind, _ server: ServerName?, _ detail: String) {
        logger.notice("\(kind.rawValue)", metadata: ["server": "\(server?.text ?? "-")", "detail": "\(detail)"])
    }
}
