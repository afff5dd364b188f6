import ArgumentParser
import Daemon
import DataPlane
import Logging
import Syscalls

@main
struct DdirectProxy: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ddirect-proxy",
        abstract:
            "The data plane of D-Direct: carries traffic from devices to the endpoints that the control plane names.",
        subcommands: [Run.self, Enroll.self], defaultSubcommand: Run.self)
}

/// Says why on standard error; throwing the code ends the process with it.
func failure(_ code: Daemon.ExitCode, _ reason: String) -> ArgumentParser.ExitCode {
    Process.complain("ddirect-proxy: \(reason)\n")
    return ArgumentParser.ExitCode(code.rawValue)
}

struct Run: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Carries traffic until SIGTERM. (This is what ddirect-proxy does when no subcommand is given.)",
        discussion:
            "Each setting can also be given in the environment, where its flag is not: DDIRECT_SERVER, DDIRECT_CONTROL, "
            + "DDIRECT_HTTP, and so on; where a flag may be given several times, commas separate.")

    @Option(help: "The name that this server has in the control plane.")
    var server: String?

    @Option(
        help: ArgumentHelp(
            "Where the control plane's channel is: unix:PATH or tcp:HOST:PORT. Can be given several times; they are tried in turn. (default: unix:/run/ddirect/channel.sock)"
        ))
    var control: [String] = []

    @Option(
        help: "The folder that 'ddirect-proxy enroll' wrote, for a channel over TCP. (default: /var/lib/ddirect-proxy)")
    var credentials: String?

    @Option(help: "Take plain HTTP here: ADDRESS:PORT. Can be given several times. (default: port 80 everywhere)")
    var http: [String] = []

    @Option(help: "Take TLS here: ADDRESS:PORT. Can be given several times. (default: port 443 everywhere)")
    var https: [String] = []

    @Option(help: "Serve /metrics, /healthz and /readyz here. (default: 127.0.0.1:7081)")
    var admin: String?

    @Option(help: "Threads that carry traffic. (default: one per processor)")
    var workers: String?

    @Option(
        help: "Ask this name server: ADDRESS:PORT. Can be given several times. (default: those of /etc/resolv.conf)")
    var resolver: [String] = []

    @Option(help: "Flows at a time; beyond it connections wait to be accepted. (default: what the descriptors allow)")
    var flowLimit: String?

    @Option(help: "Seconds until a client must have said where it wants to go. (default: 10)")
    var helloTimeout: String?

    @Option(help: "Seconds for one attempt to connect to an endpoint. (default: 5)")
    var connectTimeout: String?

    @Option(help: "Seconds without a byte until a connection is closed. (default: 3600)")
    var idleTimeout: String?

    @Option(
        help: "Seconds without a byte until a half-closed connection is closed of which nothing is owed. (default: 60)")
    var halfCloseTimeout: String?

    @Option(help: "Seconds until an endpoint must have begun its response to a request of plain HTTP. (default: 300)")
    var responseTimeout: String?

    @Option(
        help:
            "Dial endpoints from this address of the machine. Can be given several times; they are used in turn. (default: the kernel chooses)"
    )
    var source: [String] = []

    @Option(help: "Seconds that open connections get at SIGTERM. (default: 30)")
    var drainTimeout: String?

    @Option(help: "Keep the last good snapshot in this file too, to serve with after a reboot. (default: no file)")
    var snapshotCache: String?

    @Option(
        help:
            "At SIGTERM leave open connections to systemd's descriptor store for the next process: yes or no. (default: no; they are drained)"
    )
    var parkFlows: String?

    @Option(
        help:
            "Where flows are written down that services want written down: stdout, or unix: and the path of a socket of datagrams. (default: stdout)"
    )
    var flowLog: String?

    func run() throws {
        let settings: ProxySettings
        do {
            settings = try ProxySettings(
                flags, environment: Process.environment, processors: Process.processors,
                descriptors: Descriptors.raiseLimit(), process: Process.number)
        } catch {
            throw failure(.usage, "\(error)")
        }
        Process.blockSignals()
        let isJournal = JournalLogHandler.isWanted(environment: Process.environment)
        do {
            let log = try LogWriter(to: .standardError) { lost in
                Logger(label: "ddirect.log").warning("\(LogBacklog.lossSentence)", metadata: ["lost": "\(lost)"])
            }
            LoggingSystem.bootstrap { label -> any LogHandler in
                isJournal ? JournalLogHandler { log.write($0) } : StreamLogHandler(label: label, stream: log)
            }
            // Whatever has gone wrong is among the last lines.
            defer { log.finish() }
            try ProxyDaemon(settings, isJournal: isJournal, log: log, logger: Logger(label: "ddirect.proxy")).run()
        } catch {
            throw failure(.unavailable, "\(error)")
        }
    }

    private var flags: ProxySettings.Flags {
        var flags = ProxySettings.Flags()
        flags.server = server
        flags.control = control
        flags.credentials = credentials
        flags.http = http
        flags.https = https
        flags.admin = admin
        flags.workers = workers
        flags.resolver = resolver
        flags.flowLimit = flowLimit
        flags.helloTimeout = helloTimeout
        flags.connectTimeout = connectTimeout
        flags.idleTimeout = idleTimeout
        flags.halfCloseTimeout = halfCloseTimeout
        flags.responseTimeout = responseTimeout
        flags.source = source
        flags.drainTimeout = drainTimeout
        flags.snapshotCache = snapshotCache
        flags.parkFlows = parkFlows
        flags.flowLog = flowLog
        return flags
    }
}
