import AsyncHTTPClient
import Foundation
import JSON
import NIOCore
import NIOPosix

/// Sends calls to one API with one token.
struct APIClient: Sendable {
    let base: String
    let token: String?
    private let http: HTTPClient

    /// 64 MiB, well over the largest page (1000 services of a thousand client domains each would be 300 MB, which
    /// nobody has).
    private static let longestAnswer = 64 * 1024 * 1024

    /// Opens a client for the time of `body`. An answer during which nothing comes for longer than `silence` is given
    /// up.
    static func with<Result>(
        _ access: Access, silence: Duration? = nil, _ body: (APIClient) async throws -> Result
    ) async throws -> Result {
        var configuration = HTTPClient.Configuration(
            redirectConfiguration: .disallow,
            timeout: .init(connect: .seconds(5), read: silence.map { TimeAmount($0) }))
        // The library would go on connecting until the deadline; here one second try is made, and the operator told.
        configuration.connectionPool.retryConnectionEstablishment = false
        let http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        let outcome: Swift.Result<Result, any Error>
        do {
            outcome = .success(try await body(APIClient(base: access.api, token: access.token, http: http)))
        } catch {
            outcome = .failure(error)
        }
        try await http.shutdown()
        return try outcome.get()
    }

    /// Sends a call, a second time when that is safe and the connection failed, and gives the answer or says why there
    /// is none.
    func send(_ call: Call) async throws -> APIAnswer {
        do {
            return try await attempt(call)
        } catch let lost as Lost {
            guard !lost.wasSent || call.mayBeRepeated else { throw lost.failure(call, base) }
            // Long enough for a restarted daemon to listen again, short enough not to be noticed.
            try await Task.sleep(for: .milliseconds(300))
            do {
                return try await attempt(call)
            } catch let again as Lost {
                throw again.failure(call, base)
            } catch Failure.refused(let problem) where problem.status == 404 && call.method == .delete && lost.wasSent {
                // The first try did delete it; only its answer was lost.
                return APIAnswer(status: 204, body: .null, version: nil)
            }
        }
    }

    /// Sends a call whose answer is a stream of events, and hands over its pieces as they come. Returns when the stream
    /// ends.
    func stream(_ call: Call, _ take: (ByteBuffer) throws -> Void) async throws {
        do {
            // The deadline is that of the answer's head.
            let response = try await http.execute(request(call), deadline: .now() + TimeAmount(call.patience))
            let type = response.headers.first(name: "Content-Type") ?? ""
            guard response.status.code == 200, type.hasPrefix("text/event-stream") else {
                let bytes = try await response.body.collect(upTo: APIClient.longestAnswer)
                let body = (try? JSONValue.parse(bytes.readableBytesView)) ?? .null
                throw Failure(status: Int(response.status.code), body: body, base: base, hadToken: token != nil)
            }
            for try await piece in response.body { try take(piece) }
        } catch let failure as Failure {
            throw failure
        } catch {
            throw Lost(error).failure(call, base)
        }
    }

    private func request(_ call: Call) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: call.url(below: base))
        request.method = .init(rawValue: call.method.rawValue)
        for (name, value) in call.headers { request.headers.add(name: name, value: value) }
        if let token { request.headers.add(name: "Authorization", value: "Bearer \(token)") }
        if let body = call.body { request.body = .bytes(ByteBuffer(string: body.description)) }
        return request
    }

    private func attempt(_ call: Call) async throws -> APIAnswer {
        let response: HTTPClientResponse
        let bytes: ByteBuffer
        do {
            response = try await http.execute(request(call), deadline: .now() + TimeAmount(call.patience))
            bytes = try await response.body.collect(upTo: APIClient.longestAnswer)
        } catch {
            throw Lost(error)
        }
        let body = (try? JSONValue.parse(bytes.readableBytesView)) ?? .null
        let status = Int(response.status.code)
        if (200..<300).contains(status), !body.isNull || bytes.readableBytes == 0 {
            let version = response.headers.first(name: "Ddirect-Version").flatMap(Int.init)
            return APIAnswer(status: status, body: body, version: version)
        }
        throw Failure(status: status, body: body, base: base, hadToken: token != nil)
    }
}

extension Failure {
    /// An answer that is not what was asked for.
    init(status: Int, body: JSONValue, base: String, hadToken: Bool = true) {
        let problem = Problem(status: status, body: body)
        switch status {
        case 401 where !hadToken:
            self = .unauthorized(
                "\(base) wants a token; `ddirect login --api \(base)` stores one, and DDIRECT_TOKEN_FILE or --token-file names one"
            )
        case 401:
            self = .unauthorized(
                "\(base) does not accept this token (\(problem)); `ddirect login` stores another, "
                    + "and DDIRECT_TOKEN_FILE or --token-file names one")
        case 400..<500:
            self = .refused(problem)
        case 502...504:
            self = .unreachable(
                "the API at \(base) is not available now (\(problem)); it may be starting or stopping: try again")
        case 500...:
            self = .broken("the API at \(base) failed (\(problem)); its log says why: journalctl -u ddirect-control")
        default:
            self = .broken(
                "\(base) answered \(status) and no JSON; is --api or DDIRECT_API the address of ddirect-control?")
        }
    }
}

/// A call without an answer.
private struct Lost: Error {
    /// Whether the request may have arrived.
    let wasSent: Bool
    let reason: String

    init(_ error: any Error) {
        switch error {
        case let error as NIOConnectionError:
            wasSent = false
            if let cause = error.connectionErrors.first?.error as? IOError {
                reason = Lost.sentence(cause)
            } else if error.connectionErrors.isEmpty {
                reason = "the name '\(error.host)' cannot be resolved"
            } else {
                reason = "the connection timed out"
            }
        case let error as HTTPClientError where error == .connectTimeout:
            wasSent = false
            reason = "no connection within 5 seconds"
        case let error as HTTPClientError where error == .deadlineExceeded:
            wasSent = true
            reason = "no answer in time"
        case let error as HTTPClientError where error == .readTimeout:
            wasSent = true
            reason = "nothing has come from it for too long"
        case let error as HTTPClientError where error == .remoteConnectionClosed:
            wasSent = true
            reason = "the connection was closed before the answer"
        case let error as IOError:
            wasSent = ![ECONNREFUSED, EHOSTUNREACH, ENETUNREACH].contains(error.errnoCode)
            reason = Lost.sentence(error)
        default:
            wasSent = true
            reason = "\(error)"
        }
    }

    private static func sentence(_ error: IOError) -> String {
        switch error.errnoCode {
        case ECONNREFUSED: "connection refused"
        case ECONNRESET: "connection reset"
        case EHOSTUNREACH, ENETUNREACH: "no route to the host"
        case ETIMEDOUT: "the connection timed out"
        default: error.description
        }
    }

    func failure(_ call: Call, _ base: String) -> Failure {
        var sentence = "cannot reach the API at \(base): \(reason). Check that ddirect-control runs there "
        sentence += "(systemctl status ddirect-control), and that --api or DDIRECT_API names its address."
        if wasSent, call.method != .get {
            sentence += " The change may have been made all the same: look before you repeat it (\(call.whereToLook))."
        }
        return .unreachable(sentence)
    }
}
