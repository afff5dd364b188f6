import Domain
import FoundationEssentials
import SystemPackage

/// The file that the first token is written to, for the operator alone to read.
package struct AdminTokenFile: Sendable {
    private let path: String

    package init(path: String) { self.path = path }

    /// Why there is no first token.
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    /// The token that stands in the file, or a new one, written to a new file.
    ///
    /// A file without a token in the database is left from a start that was cut short, or put there by whoever set this
    /// machine up; either way it is the operator's token.
    func tokenFromFileOrNew() throws(Failure) -> AccessToken {
        let token = AccessToken()
        do {
            // Exclusive: no file or link that waits here is ever written to. The mode is set as the file is made, not
            // after.
            let file = try FileDescriptor.open(
                FilePath(path), .writeOnly, options: [.create, .exclusiveCreate], permissions: .ownerReadWrite)
            try file.closeAfter {
                _ = try file.writeAll(Array((token.secret + "\n").utf8))
            }
            return token
        } catch Errno.fileExists {
            return try tokenFromFile()
        } catch {
            throw Failure(
                description:
                    "the admin token file \(path) cannot be made (\(error)); expected a folder that exists and can be written to"
            )
        }
    }

    private func tokenFromFile() throws(Failure) -> AccessToken {
        do {
            let text = String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self)
            return try AccessToken(adopting: text.trimmingCharacters(whitespace: " \t\r\n"))
        } catch let problem as InvalidValue {
            throw Failure(
                description: "the token in \(path) \(problem.problem); expected \(problem.expected), or no such file")
        } catch {
            throw Failure(description: "the admin token file \(path) cannot be read (\(error))")
        }
    }
}

extension String {
    fileprivate func trimmingCharacters(whitespace: String) -> String {
        var text = self[...]
        while let first = text.first, whitespace.contains(first) || first.isNewline { text.removeFirst() }
        while let last = text.last, whitespace.contains(last) || last.isNewline { text.removeLast() }
        return String(text)
    }
}
