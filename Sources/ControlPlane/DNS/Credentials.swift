package import Domain
import FoundationEssentials
import SystemPackage

/// The secrets that others gave us to speak to them with: a folder with one file for each, named as resources name it.
///
/// They are in no database, no snapshot and no answer of the API. systemd's `LoadCredential=` makes such a folder.
package struct Credentials: Sendable {
    let folder: String

    /// Why there is no secret: which file, what is wrong with it and what is to be done, and nothing of what is in it.
    package struct Failure: Error, Hashable, CustomStringConvertible {
        package let description: String
    }

    /// Keys and tokens have some hundred octets; what is larger than this, in octets, is another file.
    private static let largestFile = 64 << 10

    package init(folder: String) { self.folder = folder }

    /// The text in the file of that name, without the newline at its end. Read anew each time, so that a new key is in
    /// force at once.
    package func text(_ name: CredentialName) throws(Failure) -> String {
        let path = "\(folder)/\(name)"
        let octets = try read(path)
        guard var text = String(validating: octets, as: UTF8.self), !text.contains("\0") else {
            throw Failure(description: "the credential \(path) is no text; expected a key or a token in one")
        }
        while let last = text.last, last.isNewline { text.removeLast() }
        guard !text.isEmpty else {
            throw Failure(description: "the credential \(path) is empty; expected a key or a token")
        }
        return text
    }

    private func read(_ path: String) throws(Failure) -> [UInt8] {
        do {
            try check(Stat(FilePath(path)), path)
            return Array(try Data(contentsOf: URL(filePath: path)))
        } catch let failure as Failure {
            throw failure
        } catch Errno.noSuchFileOrDirectory {
            throw Failure(
                description:
                    "the credential \(path) is not there; expected a file with the secret, readable by ddirect-control")
        } catch {
            throw Failure(
                description:
                    "the credential \(path) cannot be read (\(error)); expected a file that ddirect-control may read")
        }
    }

    /// The group may read it: systemd gives what `LoadCredential=` brings to the service's user that way.
    private func check(_ file: Stat, _ path: String) throws(Failure) {
        guard file.type == .regular else {
            throw Failure(description: "the credential \(path) is no file; expected a file with the secret")
        }
        guard file.permissions.isDisjoint(with: [.otherRead, .otherWrite, .groupWrite]) else {
            throw Failure(
                description:
                    "the credential \(path) has mode 0\(String(file.permissions.rawValue, radix: 8)), so others than its owner may have read "
                    + "or written it; expected a new secret, in a file of mode 0600")
        }
        guard file.size <= Credentials.largestFile else {
            throw Failure(description: "the credential \(path) has \(file.size) octets; expected a key or a token")
        }
    }
}

extension Credentials {
    /// The same, with the failure of a DNS provider.
    func secret(_ name: CredentialName) throws(DNSFailure) -> String {
        do {
            return try text(name)
        } catch {
            throw DNSFailure(kind: .unauthorized, reason: error.description)
        }
    }
}
