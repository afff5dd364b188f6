import Domain
import FoundationEssentials

/// The secrets that zones and webhooks name: a folder with a file for each.
///
/// Read anew at each use, so that a secret is exchanged by exchanging its file. What is in them is in no message.
struct Credentials: Sendable {
    let folder: String

    private static let largest = 64 << 10

    init(folder: String) { self.folder = folder }

    /// Why a secret cannot be had.
    struct Missing: Error, CustomStringConvertible {
        let description: String
    }

    /// The secret of that name, without the line's end.
    func text(_ name: CredentialName) throws -> String {
        let path = "\(folder)/\(name)"
        let data: Data
        do {
            let attributes = try FileManager.default.attributesOfItem(atPath: path)
            let size = attributes[.size] as? Int ?? 0
            guard size <= Credentials.largest else {
                throw Missing(description: "the secret \(path) has \(size) octets; expected at most \(Credentials.largest)")
            }
            if let mode = attributes[.posixPermissions] as? Int, mode & 0o007 != 0 {
                throw Missing(
                    description: "everybody may read or write the secret \(path); expected a mode such as 0600 (chmod 600)")
            }
            data = try Data(contentsOf: URL(filePath: path))
        } catch let missing as Missing {
            throw missing
        } catch {
            throw Missing(
                description: "the secret \(path) cannot be read; expected a file of that name among the credentials (--credentials)")
        }
        var text = String(decoding: data, as: UTF8.self)[...]
        while text.hasSuffix("\n") { text = text.dropLast() }
        guard !text.isEmpty else { throw Missing(description: "the secret \(path) is empty") }
        return String(text)
    }
}
