import ArgumentParser

/// Why a command did not end well, in words for the operator and a code for scripts.
enum Failure: Error, Equatable, CustomStringConvertible {
    /// The API understood the request and said no.
    case refused(Problem)
    /// The change is stored, but some server has not applied it; or an endpoint did not answer a check.
    case incomplete(String)
    /// The command line asks for something that cannot be.
    case usage(String)
    /// No answer came from the API.
    case unreachable(String)
    /// The API answered that it failed, or something that is no answer of the API.
    case broken(String)
    case unauthorized(String)

    /// Codes from 64 up are those of sysexits(3), which scripts and systemd already know.
    var exit: ExitCode {
        switch self {
        case .refused: ExitCode(1)
        case .incomplete: ExitCode(2)
        case .usage: ExitCode(64)
        case .unreachable: ExitCode(69)
        case .broken: ExitCode(70)
        case .unauthorized: ExitCode(77)
        }
    }

    var description: String {
        switch self {
        case .refused(let problem): "ddirect: \(problem)"
        case .incomplete(let why), .usage(let why), .unreachable(let why), .broken(let why), .unauthorized(let why):
            "ddirect: \(why)"
        }
    }
}
