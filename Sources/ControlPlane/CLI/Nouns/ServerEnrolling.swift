import ArgumentParser
import Foundation
import JSON

extension ServerCommand {
    struct Enroll: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a token with which a server gets its certificate, once.",
            discussion: """
                For servers that connect over TCP. The token is for the server's operator alone: whoever shows it first is that server. \
                Asked again, a token that was not used yet stops working. Without --write-token, only the token goes to standard output.
                """)
        @Argument(help: "The server's name.", completion: .servers)
        var name: String
        @Option(
            help: ArgumentHelp("How long the token is good for, 1 to 604800. (default: 3600)", valueName: "seconds"))
        var validFor: Int?
        // Not --token-file, which says on every command where our own token is.
        @Option(
            help: ArgumentHelp(
                "Write the token to this new file, which only you can read, instead of printing it.", valueName: "path"),
            completion: .file())
        var writeToken: String?
        @OptionGroup var connection: APIOptions

        mutating func validate() throws {
            if let validFor, !(1...604_800).contains(validFor) {
                throw ValidationError("--valid-for is \(validFor); expected a whole number of seconds from 1 to 604800")
            }
        }

        func run() async throws {
            // Looked at first, since asking takes an earlier token away.
            if let writeToken, FileManager.default.fileExists(atPath: writeToken) {
                throw Failure.usage("\(writeToken) is there already; give --write-token a file that is not")
            }
            try await connection.converse { conversation in
                var call = Call(.post, "servers", name, "enroll")
                // Repeated, it takes back the token whose answer was lost.
                call.isRepeatable = true
                if let validFor { call.body = ["validForSeconds": .integer(validFor)] }
                let answer = try await conversation.client.send(call).body
                guard let token = answer["token"].text else {
                    throw Failure.broken("the API's answer has no token in it")
                }
                if let writeToken { try store(token, in: writeToken) }
                if conversation.printsJSON { return output(shown(answer).pretty) }
                if writeToken == nil {
                    output(token)
                    for line in instructions(answer) { say(line) }
                } else {
                    output(instructions(answer))
                }
            }
        }

        private func store(_ token: String, in file: String) throws {
            // Set before it is created: a mode corrected afterwards leaves a moment in which others can open the file.
            let before = umask(0o077)
            defer { _ = umask(before) }
            do {
                try Data((token + "\n").utf8).write(to: URL(fileURLWithPath: file), options: .withoutOverwriting)
            } catch {
                throw Failure.usage(
                    "cannot write \(file): \(error.localizedDescription); enroll \(name) again for another token")
            }
        }

        /// The API's answer, but for a token that stands in a file.
        private func shown(_ answer: JSONValue) -> JSONValue {
            guard let writeToken else { return answer }
            var members = answer.members
            members["token"] = nil
            members["tokenFile"] = .string(writeToken)
            return .object(members)
        }

        private func instructions(_ answer: JSONValue) -> [String] {
            let fingerprint = answer["authorityFingerprint"].text ?? "unknown"
            let what = writeToken.map { "The token in \($0)" } ?? "This token"
            return [
                "\(what) enrolls server \(name) once, until \(answer["expiresAt"].text?.shortTime ?? "soon") UTC.",
                "The control plane is known by the fingerprint \(fingerprint). On \(name), with the token in a file:",
                "ddirect-proxy enroll --control HOST:7443 --ca-fingerprint \(fingerprint) "
                    + "--token-file FILE --credentials /var/lib/ddirect-proxy",
            ]
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Take a server's certificates away, and end its conversation.",
            discussion: """
                For a machine that was lost or broken into. What it carries goes on with the configuration that it has; it gets no other \
                over TCP until it enrolls anew. Other servers are not affected.
                """)
        @Argument(help: "The server's name.", completion: .servers)
        var name: String
        @OptionGroup var connection: APIOptions

        func run() async throws {
            try await connection.converse { conversation in
                var call = Call(.post, "servers", name, "revoke")
                call.isRepeatable = true
                let answer = try await conversation.client.send(call).body
                if conversation.printsJSON { return output(answer.pretty) }
                let revoked = count(answer["certificatesRevoked"].integer ?? 0, "certificate")
                output("revoked \(revoked) of \(name); `ddirect server enroll \(name)` lets it in again")
            }
        }
    }
}
