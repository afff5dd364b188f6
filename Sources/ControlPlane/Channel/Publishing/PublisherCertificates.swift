import FoundationEssentials
import Logging
import Notices
import Wire

/// The certificates of the publisher's sessions: what they show, what they are given, and when they end.
extension SnapshotPublisher {
    /// The TLS handshake of a connection is complete; `certificate` (DER) is what it has shown, which TLS has verified.
    func authenticated(_ id: SessionID, certificate: [UInt8]?) {
        guard let certificate else {
            sessions[id]?.machine.authenticated(.anonymous)
            return
        }
        do {
            let peer = try ChannelAuthority.identify(der: certificate)
            sessions[id]?.certificate = peer
            sessions[id]?.machine.authenticated(.certified(peer.server))
        } catch {
            update(id) { $0.end("its certificate names no server: \(error)", refusal: .certificate) }
        }
    }

    /// Ends the sessions whose certificates have expired, which happens to those only that could not be renewed.
    func endExpired(at now: Date) {
        for (id, session) in sessions where session.certificate.map({ $0.notAfter <= now }) == true {
            end(id, reason: "its certificate has expired", refusal: .certificate)
        }
    }

    /// Has a session's writer give it what it asked for; issuing waits for the disk, and the publisher does not.
    func certify(_ id: SessionID, _ request: CertificateWork) {
        sessions[id]?.certificateWork = request
        sessions[id]?.wakeUp.yield()
    }

    /// What a session is given for a certificate that it asked for; nil when it is given none, and why has been seen
    /// to.
    func certificate(for request: CertificateWork, of id: SessionID) async -> WireFrame? {
        guard let enrollments = settings.secure?.enrollments, let session = sessions[id] else { return nil }
        do {
            switch request {
            case .first(let token, let request):
                let issued = try await enrollments.enroll(token: token, request: request)
                logger.notice(
                    "A server has enrolled",
                    metadata: [
                        "server": "\(issued.server)", "address": "\(session.origin.text)", "serial": "\(issued.serial)",
                    ])
                events.append(
                    .serverEnrolled, server: issued.server,
                    detail: "enrolled from \(session.origin.text), certificate \(issued.serial)")
                return .certificate(issued.der)
            case .next(let request):
                guard let certificate = session.certificate else { return nil }
                let issued = try await enrollments.renew(certificate, request: request)
                sessions[id]?.certificate = issued.shown
                if sessionOfServer[issued.server] == id {
                    changeStatus(of: issued.server) { $0.certificateExpires = issued.notAfter.timeIntervalSince1970 }
                }
                logger.info(
                    "A certificate was renewed", metadata: ["server": "\(issued.server)", "serial": "\(issued.serial)"])
                return .certificate(issued.der)
            }
        } catch {
            notCertified(id, request, error)
            return nil
        }
    }

    private func notCertified(_ id: SessionID, _ request: CertificateWork, _ refusal: EnrollmentRefusal) {
        // Nothing is half written: what was to be written is what could not be made.
        sessions[id]?.isWriting = false
        var kind: ChannelRefusal? = .enrollment
        if case .storeFailed(let cause) = refusal {
            // Ours, and not theirs.
            logger.error("A certificate could not be recorded", metadata: ["cause": "\(cause)"])
            kind = nil
        }
        if case .first = request { return end(id, reason: "\(refusal)", refusal: kind) }
        // It asks again, and its present certificate is good for long yet.
        logger.error(
            "A certificate was not renewed",
            metadata: ["server": "\(sessions[id]?.server?.text ?? "unknown")", "reason": "\(refusal)"])
    }
}
