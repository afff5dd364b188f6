import Foundation
import JSON

/// What `ddirect login` keeps: one API and its token, in a file that only its owner can read.
struct LoginFile: Equatable, Sendable {
    let api: String
    let token: String

    /// `~/.config/ddirect/credentials`, or below XDG_CONFIG_HOME.
    static func file(environment: [String: String]) -> String? {
        let home = environment["HOME"].flatMap { $0.isEmpty ? nil : $0 }
        let configuration =
            environment["XDG_CONFIG_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil } ?? home.map { "\($0)/.config" }
        return configuration.map { "\($0)/ddirect/credentials" }
    }

    /// What was stored; nil when nobody has logged in.
    static func stored(in file: String?) throws -> LoginFile? {
        guard let file, FileManager.default.fileExists(atPath: file) else { return nil }
        guard let content = try? Data(contentsOf: URL(fileURLWithPath: file)),
            let stored = try? JSONValue.parse(content), let api = stored["api"].text, let token = stored["token"].text
        else { throw Failure.usage("\(file) cannot be read as credentials; `ddirect login` writes it anew") }
        return LoginFile(api: api, token: token)
    }

    /// Stores them, mode 0600 from the first byte on.
    func store(in file: String) throws {
        let folder = (file as NSString).deletingLastPathComponent
        // Set before anything is created: a mode corrected afterwards leaves a moment in which others can open the
        // file.
        let before = umask(0o077)
        defer { _ = umask(before) }
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            let members: JSONValue = ["api": .string(api), "token": .string(token)]
            // Written anew, an old file's mode would be kept.
            if FileManager.default.fileExists(atPath: file) {
                try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file)
            }
            try Data(members.pretty.utf8).write(to: URL(fileURLWithPath: file), options: .atomic)
        } catch {
            throw Failure.usage("cannot write \(file): \(error.localizedDescription)")
        }
    }
}
