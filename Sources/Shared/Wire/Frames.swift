public import Domain
import FoundationEssentials

extension WireFrame {
    private init(_ message: OneOf_Message) {
        self.init()
        self.message = message
    }

    public static func hello(_ hello: Hello) -> WireFrame { WireFrame(.hello(WireHello(hello))) }

    public static func snapshot(_ snapshot: WireSnapshot) -> WireFrame { WireFrame(.snapshot(snapshot)) }

    public static func applied(_ version: SnapshotVersion) -> WireFrame {
        var applied = WireApplied()
        applied.version = version.number
        return WireFrame(.applied(applied))
    }

    /// A refusal with as many of its reasons as fit in a frame with ease; a last one counts the others.
    public static func refused(_ version: SnapshotVersion, reasons: [String]) -> WireFrame {
        var refused = WireRefused()
        refused.version = version.number
        var room = ChannelRules.longestFrameUp / 4
        for (index, reason) in reasons.enumerated() {
            room -= reason.utf8.count
            guard room > 0 else {
                refused.reasons.append("and \(reasons.count - index) more")
                break
            }
            refused.reasons.append(reason)
        }
        return WireFrame(.refused(refused))
    }

    public static func command(_ command: WireCommand) -> WireFrame { WireFrame(.command(command)) }

    public static func endpointCheck(_ check: WireEndpointCheck) -> WireFrame {
        var observation = WireObservation()
        observation.endpointCheck = check
        return WireFrame(.observation(observation))
    }

    public static func load(_ load: WireLoad) -> WireFrame {
        var observation = WireObservation()
        observation.load = load
        return WireFrame(.observation(observation))
    }

    public static func flowList(_ list: WireFlowList) -> WireFrame {
        var observation = WireObservation()
        observation.flowList = list
        return WireFrame(.observation(observation))
    }

    public static let heartbeat = WireFrame(.heartbeat(WireHeartbeat()))

    /// What a server without a certificate says first. `request` is a PKCS #10 request, DER.
    public static func enroll(token: String, request: [UInt8]) -> WireFrame {
        var enroll = WireEnroll()
        enroll.protocolVersion = ChannelRules.protocolVersion
        enroll.token = token
        enroll.certificateRequest = Data(request)
        return WireFrame(.enroll(enroll))
    }

    public static func certificateRequest(_ request: [UInt8]) -> WireFrame {
        var message = WireCertificateRequest()
        message.certificateRequest = Data(request)
        return WireFrame(.certificateRequest(message))
    }

    /// `certificate` is an X.509 certificate, DER.
    public static func certificate(_ certificate: [UInt8]) -> WireFrame {
        var message = WireCertificate()
        message.certificate = Data(certificate)
        return WireFrame(.certificate(message))
    }

    public static func goodbye(_ reason: String) -> WireFrame {
        var goodbye = WireGoodbye()
        goodbye.reason = reason
        return WireFrame(.goodbye(goodbye))
    }
}
