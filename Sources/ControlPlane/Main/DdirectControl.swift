import ArgumentParser
import ControlDaemon
import Daemon
import Foundation
import Logging

@main
struct DdirectControl: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ddirect-control",
        abstract: "The control plane of D-Direct: holds the configuration, serves the API, publishes to the servers.",
        discussion:
            "Each setting can also be given in the environment, where its flag is not: DDIRECT_DATABASE, DDIRECT_LISTEN, "
            + "DDIRECT_CHANNEL, DDIRECT_ADMIN_TOKEN_FILE, and so on; where a flag may be given several times, commas separate."
    )

    @Option(help: "The database; made when there is none. (default: /var/lib/ddirect/control.db)")
    var database: String?

    @Option(help: "Where the API listens: ADDRESS:PORT, a loopback address. (default: 127.0.0.1:7080)")
    var listen: String?

    @Option(
        help: ArgumentHelp(
            "Where the servers connect: unix:PATH, and tcp:ADDRESS:PORT for those in other places, with mutual TLS. Can be given several times. (default: unix:/run/ddirect/channel.sock)"
        ))
    var channel: [String] = []

    @Option(
        help: ArgumentHelp(
            "The key and certificate of the authority of the channel over TCP; made at the first start. (default: the credential channel-authority, or else /var/lib/ddirect/channel-authority.pem)"
        ))
    var channelAuthority: String?

    @Option(
        help: ArgumentHelp(
            "The folder with the secrets that zones and webhooks name, a file each. (default: $CREDENTIALS_DIRECTORY, or else /var/lib/ddirect/credentials)",
            valueName: "folder"))
    var credentials: String?

    @Option(
        help: ArgumentHelp(
            "The folder with the executables that zones name. (default: /etc/ddirect/commands)", valueName: "folder"))
    var commands: String?

    @Option(
        help: "Seconds for which a server's certificate holds; it renews by itself before. (default: 7776000, 90 days)")
    var certificateLifetime: String?

    @Option(help: "Where the first token is written to, at the first start. (default: /var/lib/ddirect/admin.token)")
    var adminTokenFile: String?

    @Option(help: "A prefix that endpoints may be in although it is reserved. Can be given several times.")
    var allowEndpoint: [String] = []

    @Option(
        help: ArgumentHelp(
            "A port below 1024 that endpoints may have beside 80 and 443, or a range of them. Can be given several times.",
            valueName: "port|a-b"))
    var allowEndpointPort: [String] = []

    func run() async throws {
        var flags = ControlSettings.Flags()
        flags.database = database
        flags.listen = listen
        flags.channel = channel
        flags.channelAuthority = channelAuthority
        flags.credentials = credentials
        flags.commands = commands
        flags.certificateLifetime = certificateLifetime
        flags.adminTokenFile = adminTokenFile
        flags.allowEndpoint = allowEndpoint
        flags.allowEndpointPort = allowEndpointPort
        let log = BackgroundLog { lost in
            Logger(label: "ddirect.log").warning("\(LogBacklog.lossSentence)", metadata: ["lost": "\(lost)"])
        }
        // Whatever has gone wrong is in the last line.
        defer { log.finish() }
        let settings: ControlSettings
        do {
            settings = try ControlSettings(flags, environment: ProcessInfo.processInfo.environment)
        } catch {
            throw failure(.usage, "\(error)", in: log)
        }
        // The database and its journal are for this user alone; the socket of the channel gets its own mode.
        umask(0o077)
        let isJournal = JournalLogHandler.isWanted(environment: ProcessInfo.processInfo.environment)
        LoggingSystem.bootstrap { label -> any LogHandler in
            isJournal ? JournalLogHandler { log.write($0) } : StreamLogHandler(label: label, stream: log)
        }
        do {
            let descriptors = Descriptors.raiseLimit()
            try await ControlDaemon(settings, descriptors: descriptors, logger: Logger(label: "ddirect.control")).run()
        } catch {
            throw failure(Daemon.ExitCode(error), "\(error)", in: log)
        }
    }

    /// Says why on standard error, as it stands; throwing the code ends the process with it.
    private func failure(_ code: Daemon.ExitCode, _ reason: String, in log: BackgroundLog) -> ArgumentParser.ExitCode {
        log.write("ddirect-control: \(reason)\n")
        return ArgumentParser.ExitCode(code.rawValue)
    }
}
