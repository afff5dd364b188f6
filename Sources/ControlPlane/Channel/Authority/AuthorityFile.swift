import Crypto
import FoundationEssentials
import Glibc
import Store
import SwiftASN1
import SystemPackage
import X509

/// The authority's one file: its private key and its certificate, in PEM.
extension ChannelAuthority {
    /// Why there is no authority.
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    /// A key and a certificate have some 1 KiB; what is so much larger is another file.
    private static let largestFile: Int64 = 64 << 10

    /// The authority in the file at `path`, or a new one, written to a new file, when there is none.
    ///
    /// `isCredential` says that the service manager put it there (systemd's `LoadCredential=`): then its folder is what
    /// others are kept out by, whatever its own mode, and there is nothing to be made where it is missing. `mayMake` is
    /// false for one that is in use already: a file that has gone is a mistake then, and a new authority would lock
    /// every server out.
    static func open(
        path: String, isCredential: Bool = false, mayMake: Bool = true, now: Date = Date()
    ) throws(Failure) -> ChannelAuthority {
        guard let file = try status(of: path) else {
            guard !isCredential else {
                throw Failure(
                    description:
                        "the channel authority \(path) is not there; expected the credential that the unit names")
            }
            guard mayMake else {
                throw Failure(description: "the channel authority \(path) is not there any more; expected it back")
            }
            let authority = try new(at: path, now: now)
            return try write(authority, to: path) ? authority : open(path: path, now: now)
        }
        try check(file, path, isCredential: isCredential)
        return try read(path, now: now)
    }

    // MARK: Reading

    /// Nil when there is no file.
    private static func status(of path: String) throws(Failure) -> Stat? {
        do {
            return try Stat(FilePath(path))
        } catch {
            if error == Errno.noSuchFileOrDirectory { return nil }
            throw Failure(description: "the channel authority \(path) cannot be looked at (\(error))")
        }
    }

    private static func check(_ file: Stat, _ path: String, isCredential: Bool) throws(Failure) {
        guard file.type == .regular else {
            throw Failure(description: "the channel authority \(path) is no file; expected a file, or nothing there")
        }
        let others: FilePermissions = [.groupRead, .groupWrite, .otherRead, .otherWrite]
        guard isCredential || file.permissions.isDisjoint(with: others) else {
            throw Failure(
                description:
                    "the channel authority \(path) has mode 0\(String(file.permissions.rawValue, radix: 8)), so others than its owner "
                    + "can have its key, and be any server with it; expected mode 0600: chmod 600 \(path), and make a new authority if "
                    + "others may have read it")
        }
        guard file.size <= largestFile else {
            throw Failure(
                description: "the channel authority \(path) has \(file.size) octets; expected a key and a certificate")
        }
    }

    private static func read(_ path: String, now: Date) throws(Failure) -> ChannelAuthority {
        let text: String
        do {
            text = String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self)
        } catch {
            throw Failure(description: "the channel authority \(path) cannot be read (\(error))")
        }
        guard let (key, certificate) = parts(of: text) else {
            throw Failure(
                description:
                    "the channel authority \(path) cannot be read; expected PEM with one PRIVATE KEY (PKCS#8, P-256) and "
                    + "one CERTIFICATE: restore it from a backup, or move it away and enroll every server anew")
        }
        if let wrong = fault(of: certificate, with: key, now: now) {
            throw Failure(
                description:
                    "the channel authority \(path) \(wrong); expected a key and its own CA certificate: restore it from a "
                    + "backup, or move it away and enroll every server anew")
        }
        do {
            return try ChannelAuthority(key: key, certificate: certificate)
        } catch {
            throw Failure(description: "the channel authority \(path) cannot be used (\(error))")
        }
    }

    /// Nil when the text is not what we write. Why a parser took offence is not told: it might quote a key.
    private static func parts(of text: String) -> (key: P256.Signing.PrivateKey, certificate: Certificate)? {
        do {
            let documents = try PEMDocument.parseMultiple(pemString: text)
            let keys = documents.filter { $0.discriminator == "PRIVATE KEY" }
            let certificates = documents.filter { $0.discriminator == Certificate.defaultPEMDiscriminator }
            guard documents.count == 2, let key = keys.first, let certificate = certificates.first else { return nil }
            return (
                try P256.Signing.PrivateKey(derRepresentation: key.derBytes),
                try Certificate(derEncoded: certificate.derBytes)
            )
        } catch {
            return nil
        }
    }

    /// What is wrong with a certificate that should be an authority's own, as a verb phrase.
    private static func fault(of certificate: Certificate, with key: P256.Signing.PrivateKey, now: Date) -> String? {
        let publicKey = Certificate.PublicKey(key.publicKey)
        guard certificate.publicKey == publicKey else { return "has a key that is not its certificate's" }
        guard publicKey.isValidSignature(certificate.signature, for: certificate) else {
            return "has a certificate that its key has not signed"
        }
        guard isAuthority(certificate) else { return "has a certificate that is no certificate authority's" }
        guard now < certificate.notValidAfter else { return "expired at \(Timestamp.text(certificate.notValidAfter))" }
        return nil
    }

    private static func isAuthority(_ certificate: Certificate) -> Bool {
        do {
            guard case .isCertificateAuthority? = try certificate.extensions.basicConstraints else { return false }
            return true
        } catch {
            return false
        }
    }

    // MARK: Making

    private static func new(at path: String, now: Date) throws(Failure) -> ChannelAuthority {
        do {
            return try make(now: now)
        } catch {
            throw Failure(description: "the channel authority \(path) cannot be made (\(error))")
        }
    }

    /// Puts a new authority in its place, whole or not at all; false when another one is there by now, which stays.
    ///
    /// It is written beside its place and linked into it: a link never replaces what is there. Both are on the disk
    /// before we use the key, since a server that enrolled with an authority that a power cut took away would be locked
    /// out.
    private static func write(_ authority: ChannelAuthority, to path: String) throws(Failure) -> Bool {
        let draft = "\(path).new-\(String(UInt64.random(in: .min ... .max), radix: 16))"
        do {
            // The mode is set as the file is made, not after.
            let file = try FileDescriptor.open(
                FilePath(draft), .writeOnly, options: [.create, .exclusiveCreate], permissions: .ownerReadWrite)
            // Where this fails too, what is left is a file for its owner alone, and its key is nobody's.
            defer { try? FileManager.default.removeItem(atPath: draft) }
            try file.closeAfter {
                _ = try file.writeAll(Array(try authority.pem.utf8))
                try synchronize(file)
            }
            do {
                try FileManager.default.linkItem(atPath: draft, toPath: path)
            } catch {
                guard try status(of: path) != nil else { throw error }
                return false
            }
            let folder = FilePath(path).removingLastComponent()
            let opened = try FileDescriptor.open(folder.isEmpty ? "." : folder, .readOnly, options: .directory)
            try opened.closeAfter { try synchronize(opened) }
            return true
        } catch {
            throw Failure(
                description:
                    "the channel authority \(path) cannot be made (\(error)); expected a folder that exists and can be written to"
            )
        }
    }

    private static func synchronize(_ file: FileDescriptor) throws {
        guard fsync(file.rawValue) == 0 else { throw Errno(rawValue: errno) }
    }
}
