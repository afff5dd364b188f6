import Foundation

/// Which API to call, and with which token.
struct Access: Equatable, Sendable {
    let api: String
    let token: String?

    static let defaultAPI = "http://127.0.0.1:7080"

    /// Chooses among the flags, the environment and what `ddirect login` stored; the nearest to the command line wins.
    ///
    /// A stored token goes to the API that it was stored for and to no other.
    init(
        api: String?, tokenFile: String?, environment: [String: String], stored: LoginFile?,
        read: (String) throws -> String
    ) throws {
        let named = api ?? environment["DDIRECT_API"].flatMap { $0.isEmpty ? nil : $0 }
        self.api = try Access.checked(named ?? stored?.api ?? Access.defaultAPI)
        if let tokenFile {
            token = try read(tokenFile)
        } else if let variable = environment["DDIRECT_TOKEN"], !variable.isEmpty {
            token = variable
        } else if let file = environment["DDIRECT_TOKEN_FILE"], !file.isEmpty {
            token = try read(file)
        } else {
            token = stored?.api == self.api ? stored?.token : nil
        }
        if let token, !token.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) || token.isEmpty {
            throw Failure.usage(
                "the token is empty or has characters that no token has; expected one line as `ddirect token create` prints it"
            )
        }
    }

    /// An address without a path and without a slash at its end.
    static func checked(_ text: String) throws(Failure) -> String {
        let trimmed = text.hasSuffix("/") ? String(text.dropLast()) : text
        guard let url = URLComponents(string: trimmed), ["http", "https"].contains(url.scheme), let host = url.host,
            !host.isEmpty,
            url.path.isEmpty, url.query == nil, url.fragment == nil, url.user == nil
        else {
            throw .usage("'\(text.printable)' is no address of an API; expected one such as \(defaultAPI)")
        }
        return trimmed
    }

    /// The first line of a token file.
    static func token(in file: String) throws -> String {
        let text: String
        do {
            text = try String(contentsOfFile: file, encoding: .utf8)
        } catch {
            throw Failure.usage("cannot read the token file \(file): \(Access.reason(error))")
        }
        return text.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// What the system said, without Foundation's preamble.
    private static func reason(_ error: any Error) -> String {
        switch (error as? CocoaError)?.code {
        case .fileReadNoSuchFile?: "there is no such file"
        case .fileReadNoPermission?: "permission denied"
        default: error.localizedDescription
        }
    }
}
