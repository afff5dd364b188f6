import JSON

/// The control plane's REST API, as any client would call it.
struct API {
    let place: Place
    let token: String

    struct Answer {
        let status: Int
        let fields: [String: String]
        let body: JSONValue

        var version: Int? { fields["ddirect-version"].flatMap(Int.init) }
        /// The fields that a problem names.
        var pointers: [String] { body["errors"].items.compactMap { $0["pointer"].text } }
    }

    func call(_ method: String, _ path: String, _ body: JSONValue? = nil, fields: [String: String] = [:]) throws
        -> Answer
    {
        try send(method, path, text: body?.description, fields: fields)
    }

    /// The same with a body that need not be JSON.
    func send(_ method: String, _ path: String, text: String?, fields: [String: String] = [:]) throws -> Answer {
        let connection = try TCPConnection(to: place)
        var all = ["Host": place.description, "Authorization": "Bearer \(token)", "Connection": "close"]
        if let text {
            all["Content-Type"] = "application/json"
            all["Content-Length"] = "\(text.utf8.count)"
        }
        all.merge(fields) { $1 }
        let lines = all.map { "\($0): \($1)\r\n" }.joined()
        try connection.send("\(method) /api/v1\(path) HTTP/1.1\r\n\(lines)\r\n\(text ?? "")")
        let response = try HTTPResponse(whole: connection.receiveAll().text)
        return Answer(
            status: response.status, fields: response.fields,
            body: response.body.isEmpty ? .null : try JSONValue.parse(response.body.utf8))
    }

    /// A call that has to be granted.
    @discardableResult
    func grant(_ method: String, _ path: String, _ body: JSONValue? = nil) throws -> Answer {
        let answer = try call(method, path, body)
        guard (200..<300).contains(answer.status) else {
            throw Failure("\(method) \(path) \(body?.description ?? ""): \(answer.status) \(answer.body)")
        }
        return answer
    }

    /// A change that every server concerned has to apply before this returns.
    @discardableResult
    func apply(_ method: String, _ path: String, _ body: JSONValue? = nil) throws -> Answer {
        let answer = try grant(method, "\(path)?wait=applied&timeout=60", body)
        guard answer.body["applied"]["complete"] == true else { throw Failure("not applied: \(answer.body)") }
        return answer
    }
}
