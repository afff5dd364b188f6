import ArgumentParser
import Daemon
import DataPlane
import Syscalls

struct Enroll: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Gets this server its identity, once, with a token from 'ddirect server enroll'.",
        discussion:
            "Makes the private key here; it never leaves this server. Later certificates come by themselves. When run as root, the files "
            + "belong to the owner of the folder.")

    @Option(help: "Where the control plane is: HOST:PORT. Can be given several times; they are tried in turn.")
    var control: [String] = []

    @Option(help: "The fingerprint of the control plane's authority, as 'ddirect server enroll' printed it.")
    var caFingerprint: String?

    @Option(help: "The file with the token. Can be removed afterwards; the token is good for once.")
    var tokenFile: String?

    @Option(help: "The folder to write to; made when there is none. (default: /var/lib/ddirect-proxy)")
    var credentials: String?

    @Option(help: "Ask this name server: ADDRESS:PORT. (default: those of /etc/resolv.conf)")
    var resolver: [String] = []

    func run() throws {
        var flags = EnrollmentSettings.Flags()
        flags.control = control
        flags.fingerprint = caFingerprint
        flags.tokenFile = tokenFile
        flags.credentials = credentials
        flags.resolver = resolver
        let settings: EnrollmentSettings
        do {
            settings = try EnrollmentSettings(flags, environment: Process.environment)
        } catch {
            throw failure(.usage, "\(error)")
        }
        do {
            let (server, until) = try Enrollment(settings).run()
            print(
                "This is server \(server). Its certificate is good until \(Enrollment.text(until)), and renews by itself."
            )
            print("Its identity is in \(settings.credentials).")
        } catch {
            throw failure(.unavailable, "not enrolled: \(error)")
        }
    }
}
