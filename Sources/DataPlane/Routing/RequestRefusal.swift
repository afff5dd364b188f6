extension RequestHead {
    /// Why a request head is refused.
    public enum Refusal: Hashable, Sendable, CaseIterable {
        // The lines
        case bareLineFeed
        case bareCarriageReturn
        case controlCharacter
        case tooLong
        // The request line
        case badRequestLine
        case badTarget
        case unsupportedVersion
        case connect
        // Other protocols
        case tlsOnHTTP
        case http2Preface
        // The fields
        case foldedField
        case badFieldName
        case tooManyFields
        case protectedField
        case tooManyOptions
        // Where it goes
        case missingHost
        case severalHosts
        case badHost
        case otherHost
        // Where it ends
        case badContentLength
        case severalContentLengths
        case badTransferEncoding
        case unknownTransferCoding
        case contentLengthAndTransferEncoding
    }
}

extension RequestHead.Refusal {
    /// The status of the answer. What has no answer is counted as 400.
    public var status: Int {
        switch self {
        case .connect: 405
        case .tooLong, .tooManyFields: 431
        case .unknownTransferCoding: 501
        case .unsupportedVersion, .http2Preface: 505
        default: 400
        }
    }

    /// What to answer before closing; nil when the client would not understand any answer in HTTP.
    public var answer: HTTPAnswer? {
        self == .tlsOnHTTP ? nil : HTTPAnswer(status, sentence)
    }

    /// What is wrong with the request, in one sentence: for the client and for the log.
    public var sentence: String {
        switch self {
        case .bareLineFeed: "A line of the request head ends with LF alone; expected CR LF."
        case .bareCarriageReturn: "The request head has a CR that no LF follows."
        case .controlCharacter: "The request head has a control character."
        case .tooLong: "The request head is longer than 32768 bytes."
        case .badRequestLine: "The request line is not a method, a target and a version with one space between them."
        case .badTarget: "The request target is neither a path nor an http URL with a valid host."
        case .unsupportedVersion: "The HTTP version is not supported; expected HTTP/1.1 or HTTP/1.0."
        case .connect: "The CONNECT method is not allowed here."
        case .tlsOnHTTP: "The client speaks TLS on the port of plain HTTP."
        case .http2Preface: "HTTP/2 without TLS is not supported; expected HTTP/1.1."
        case .foldedField: "A field of the request head is folded over several lines."
        case .badFieldName: "A field of the request head has no valid name followed by a colon."
        case .tooManyFields: "The request head has more than 256 fields."
        case .protectedField: "The Connection field lists a field that has to reach the endpoint."
        case .tooManyOptions: "The Connection field names more than 8 fields."
        case .missingHost: "The request has no Host field."
        case .severalHosts: "The request has more than one Host field."
        case .badHost: "The Host field is not a host name or address with an optional port."
        case .otherHost: "The request target and the Host field name hosts of different services."
        case .badContentLength: "The Content-Length is not a number of bytes."
        case .severalContentLengths: "The request has more than one Content-Length field."
        case .badTransferEncoding: "The Transfer-Encoding is repeated, or not allowed in this version of HTTP."
        case .unknownTransferCoding: "The Transfer-Encoding is not supported; expected chunked and nothing else."
        case .contentLengthAndTransferEncoding: "The request has both a Content-Length and a Transfer-Encoding."
        }
    }
}

extension RequestHead.Refusal: CustomStringConvertible {
    public var description: String { sentence }
}
