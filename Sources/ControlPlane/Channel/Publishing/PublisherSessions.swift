package import Domain
import Fleet
import FoundationEssentials
import Glibc
import Logging
import NIOCore
import Notices
import Wire

/// The sessions of the publisher: carrying out what their machines decide.
extension SnapshotPublisher {
    // MARK: From the tasks of a session

    /// Serves one connection until it is over. `isLocal` when it came over the Unix socket.
    func serve(_ connection: ChannelConnection, isLocal: Bool) async {
        let origin = Origin(isLocal ? nil : connection.channel.remoteAddress)
        if let (kind, reason) = await refusal(of: connection.channel, isLocal: isLocal) {
            if let kind {
                refused(kind, from: origin, reason: reason)
            } else {
                logger.info("A connection to the channel was turned away", metadata: ["reason": "\(reason)"])
            }
            // Closing is all there is to do; that it is closed already is no failure.
            try? await connection.executeThenClose { _, _ in }
            return
        }
        let (wakeUps, wakeUp) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        // It may have begun while the peer's credentials were asked for.
        guard !isStopping else {
            try? await connection.executeThenClose { _, _ in }
            return
        }
        let id = SessionID(number: nextNumber())
        let machine = SessionMachine(limits: limits, peer: isLocal ? .local : .unknown, at: clock.now)
        sessions[id] = OpenSession(machine: machine, channel: connection.channel, origin: origin, wakeUp: wakeUp)
        await Session(id: id, connection: connection, isSecure: !isLocal, wakeUps: wakeUps, publisher: self).run()
        disconnected(id)
        sessions[id] = nil
    }

    /// Why a connection is not served; without a kind when it is no fault of its own.
    private func refusal(of channel: any Channel, isLocal: Bool) async -> (ChannelRefusal?, String)? {
        guard !isStopping else { return (nil, "the control plane is stopping") }
        guard sessions.count < settings.mostSessions else {
            return (.crowd, "there are \(sessions.count) sessions already")
        }
        guard isLocal else {
            // Otherwise a stranger who can reach our port could keep the servers out.
            let strangers = sessions.values.count { $0.server == nil }
            guard strangers < SnapshotPublisher.mostStrangers else {
                return (.crowd, "there are \(strangers) connections already that have not said who they are")
            }
            return nil
        }
        let peer: PeerCredentials
        do {
            peer = try await PeerCredentials.of(channel)
        } catch {
            return (.handshake, "its credentials cannot be told: \(error)")
        }
        guard !peer.mayConnect(toUser: geteuid(), group: getegid()) else { return nil }
        return (
            .handshake,
            "process \(peer.process) runs as user \(peer.user) and group \(peer.group); expected our own user or group, or root"
        )
    }

    /// Counts a connection that we will not have, and says so, but not for ever.
    private func refused(_ kind: ChannelRefusal, from origin: Origin, reason: String) {
        guard let leftOut = refusals.refused(kind, host: origin.host, at: clock.now) else { return }
        // As rare as the line in the log: a flood must not push everything else out.
        events.append(.channelRefused, detail: "\(origin.text): \(kind.rawValue): \(reason)")
        var metadata: Logger.Metadata = [
            "address": "\(origin.text)", "kind": "\(kind.rawValue)", "reason": "\(reason)",
        ]
        if leftOut > 0 { metadata["leftOut"] = "\(leftOut)" }
        logger.warning("A connection to the channel was refused", metadata: metadata)
    }

    /// The connection of a session broke with an error.
    func failed(_ id: SessionID, because error: any Error) {
        guard sessions[id]?.machine.peer == .unknown else { return disconnected(id) }
        update(id) { $0.end(HandshakeFailure.text(error), saysGoodbye: false, refusal: .handshake) }
    }

    func received(_ frame: WireFrame, from id: SessionID) {
        let now = clock.now
        update(id) { $0.received(frame, at: now) }
    }

    func disconnected(_ id: SessionID) {
        update(id) { $0.disconnected() }
    }

    func end(_ id: SessionID, reason: String, refusal: ChannelRefusal? = nil) {
        update(id) { $0.end(reason, refusal: refusal) }
    }

    /// Ends the session that a server has now.
    package func endSession(of server: ServerName, reason: String, refusal: ChannelRefusal? = nil) {
        if let id = sessionOfServer[server] { end(id, reason: reason, refusal: refusal) }
    }

    func made(_ id: SessionID, octets: Int) {
        sessions[id]?.machine.made(octets: octets, at: clock.now)
        sessions[id]?.machine.beganSending(at: clock.now)
    }

    func notMade(_ id: SessionID, because error: FrameError) {
        update(id) { $0.notMade(reasons: ["it cannot be sent: \(error)"]) }
    }

    /// What a session's writer is to send now; nil when there is nothing, until it is woken.
    func nextOutgoing(of id: SessionID) -> Outgoing? {
        guard var session = sessions[id] else { return nil }
        session.machine.finishedSending()
        let outgoing = takeOutgoing(from: &session)
        session.isWriting = outgoing != nil
        // A snapshot is sent from when it has been made.
        switch outgoing {
        case .frame, .watch: session.machine.beganSending(at: clock.now)
        default: break
        }
        sessions[id] = session
        return outgoing
    }

    private func takeOutgoing(from session: inout OpenSession) -> Outgoing? {
        if let goodbye = session.goodbye {
            session.goodbye = nil
            return .goodbye(goodbye)
        }
        if session.heartbeatDue {
            session.heartbeatDue = false
            return .frame(.heartbeat)
        }
        if let request = session.certificateWork {
            session.certificateWork = nil
            return .certificate(request)
        }
        if !session.commands.isEmpty { return .frame(session.commands.removeFirst()) }
        guard let server = session.server else { return nil }
        if session.snapshotDue {
            session.snapshotDue = false
            if let snapshot = snapshot(for: server, &session.machine) { return snapshot }
        }
        guard session.watchDue else { return nil }
        session.watchDue = false
        return .watch(command: nextNumber(), watchLists[server]?.targets ?? [])
    }

    /// The newest version for `server`, as a difference when what it has is what we think it has.
    private func snapshot(for server: ServerName, _ machine: inout SessionMachine) -> Outgoing? {
        let need = machine.need(newest: builder.version)
        switch need {
        case .nothing, .standingRefusal: return nil
        case .difference(let holding):
            // The first of a session brings the settings: what it served with may be of a release that knew less of
            // them.
            if let step = builder.step(of: server, from: holding.version, withSettings: machine.isFresh),
                step.digestBefore == holding.digest
            {
                machine.sending(builder.version, digest: step.digest, isWhole: false)
                return .difference(step.difference, digest: step.digest, incarnation: builder.fleet.incarnation)
            }
        case .whole: break
        }
        guard let draft = builder.draft(of: server) else { return nil }
        machine.sending(draft.version, digest: draft.digest, isWhole: true)
        return .whole(draft)
    }

    // MARK: Carrying out

    /// Tells a session's machine what happened, and does what it answers.
    func update(_ id: SessionID, _ happened: (inout SessionMachine) -> [SessionMachine.Action]) {
        guard var machine = sessions[id]?.machine else { return }
        let actions = happened(&machine)
        sessions[id]?.machine = machine
        for action in actions { carryOut(action, of: id) }
    }

    private func carryOut(_ action: SessionMachine.Action, of id: SessionID) {
        guard let server = sessions[id]?.server else {
            switch action {
            case .identify(let hello): identify(id, hello)
            case .enroll(let token, let request): certify(id, .first(token: token, request: request))
            case .end(let ending): finish(id, ending)
            default: break
            }
            return
        }
        switch action {
        case .identify, .enroll: break
        case .renew(let request): certify(id, .next(request: request))
        case .sendSnapshot:
            sessions[id]?.snapshotDue = true
            sessions[id]?.wakeUp.yield()
        case .heartbeat:
            sessions[id]?.heartbeatDue = true
            sessions[id]?.wakeUp.yield()
        case .reportApplied(let version):
            if knownStatuses[server]?.refusal != nil {
                events.append(.versionApplied, server: server, version: version, detail: "applied after a refusal")
            }
            changeStatus(of: server) { $0.applied(version) }
            logger.debug("A version was applied", metadata: ["server": "\(server)", "version": "\(version)"])
            update(id) { $0.published(builder.version) }
        case .reportRefused(let version, let reasons):
            events.append(
                .versionRefused, server: server, version: version, detail: reasons.prefix(10).joined(separator: "; "))
            changeStatus(of: server) { $0.refusal = ServerStatus.Refusal(version: version, reasons: reasons) }
            logger.warning(
                "A version was refused",
                metadata: [
                    "server": "\(server)", "version": "\(version)",
                    "reasons": "\(reasons.prefix(10).joined(separator: "; "))",
                ])
            update(id) { $0.published(builder.version) }
        case .retryWhole(let version, let reasons):
            // Calls that wait for an answer wait on: in most cases the frame was sent as a whole.
            logger.warning(
                "A difference was refused; everything is sent",
                metadata: [
                    "server": "\(server)", "version": "\(version)",
                    "reasons": "\(reasons.prefix(10).joined(separator: "; "))",
                ])
            update(id) { $0.published(builder.version) }
        case .observe(let observation): observe(observation, on: server, id)
        case .end(let ending): finish(id, ending)
        }
    }

    private func identify(_ id: SessionID, _ hello: Hello) {
        guard builder.knows(hello.server) else {
            end(
                id, reason: "there is no server \(hello.server); expected one that the control plane knows",
                refusal: .hello)
            return
        }
        let certificate = sessions[id]?.certificate
        if let certificate, settings.secure?.enrollments.isRevoked(certificate) != false {
            end(
                id, reason: "the certificate \(certificate.serial) of server \(hello.server) has been revoked",
                refusal: .revoked)
            return
        }
        if let older = sessionOfServer[hello.server] {
            end(older, reason: "a newer session of server \(hello.server) has taken its place")
        }
        sessionOfServer[hello.server] = id
        carrying[hello.server, default: CarryingEvidence()].sessionBegan(at: clock.now)
        sessions[id]?.server = hello.server
        let since = Date().timeIntervalSince1970
        let origin = sessions[id]?.origin.text
        let applied = believedVersion(of: hello)
        changeStatus(of: hello.server) { status in
            status.connectedSince = since
            status.softwareVersion = hello.softwareVersion
            status.sessionAddress = origin
            status.certificateExpires = certificate?.notAfter.timeIntervalSince1970
            status.connectFailures = [:]
            // What an earlier life of it had applied says nothing about this one.
            status.appliedVersion = applied
            status.refusal = nil
        }
        events.append(
            .sessionConnected, server: hello.server, version: applied,
            detail: "connected from \(origin ?? "the Unix socket"), software \(hello.softwareVersion)")
        logger.info(
            "A data plane has connected",
            metadata: [
                "server": "\(hello.server)", "address": "\(origin ?? "")", "software": "\(hello.softwareVersion)",
                "boot": "\(hello.bootID)",
                "version": "\(hello.holding.map { "\($0.version)" } ?? "none")",
            ])
        update(id) { $0.accepted(incarnation: builder.fleet.incarnation, newest: builder.version) }
        beganWatching(id, of: hello.server)
    }

    /// The version that a data plane says it has applied, unless it is none of ours.
    private func believedVersion(of hello: Hello) -> SnapshotVersion? {
        guard let holding = hello.holding, holding.incarnation == builder.fleet.incarnation,
            holding.version <= builder.version
        else { return nil }
        guard let step = builder.step(of: hello.server, from: holding.version) else { return holding.version }
        return step.digestBefore == holding.digest ? holding.version : nil
    }

    private func observe(_ observation: WireObservation, on server: ServerName, _ id: SessionID) {
        switch observation.observation {
        case .load(var load):
            // What a peer names and we do not know would be kept for ever.
            load.failures.removeAll { builder.fleet.services[ServiceName(checked: $0.service)] == nil }
            changeStatus(of: server) { $0.observe(load) }
            carrying[server]?.observed(load, at: clock.now)
            receive(load.connections, of: server)
        case .endpointCheck(let check): answered(check.command, .check(EndpointCheck(check)), by: id)
        case .flowList(let list): answered(list.command, CommandAnswer(list), by: id)
        case .probes(let probes): receive(probes.probes, from: server)
        case nil: break
        }
    }

    /// Lets go of a session whose machine has ended, and sees to it that its connection closes.
    private func finish(_ id: SessionID, _ ending: SessionMachine.Ending) {
        guard var session = sessions[id] else { return }
        log(ending, of: session)
        for pending in pendingCommands.values where pending.session == id { pending.answer.finish() }
        if let server = session.server, sessionOfServer[server] == id {
            sessionOfServer[server] = nil
            changeStatus(of: server) { status in
                status.connectedSince = nil
                status.disconnectedAt = clock.now
            }
        }
        guard ending.saysGoodbye, !session.isWriting else {
            // With a frame half sent there is no way to say anything.
            sessions[id] = nil
            session.wakeUp.finish()
            session.channel.close(promise: nil)
            return
        }
        session.goodbye = .goodbye(ending.reason)
        session.closesBy = clock.now + limits.heartbeatInterval
        session.wakeUp.yield()
        session.wakeUp.finish()
        sessions[id] = session
    }

    private func log(_ ending: SessionMachine.Ending, of session: OpenSession) {
        if let kind = ending.refusal {
            guard session.server != nil else { return refused(kind, from: session.origin, reason: ending.reason) }
            refusals.count(kind)
        }
        // Who comes, says nothing and goes may be a check of uptime: every few seconds, for ever.
        let isStranger = session.server == nil
        logger.log(
            level: ending.isOrderly ? isStranger ? .debug : .info : .warning, "A session has ended",
            metadata: ["server": "\(session.server.map(\.text) ?? "unknown")", "reason": "\(ending.reason)"])
        if let server = session.server { events.append(.sessionEnded, server: server, detail: ending.reason) }
    }

    /// Takes no more connections, and ends all sessions.
    func stop() {
        isStopping = true
        for id in sessions.keys {
            update(id) { $0.end("the control plane is stopping", isOrderly: true) }
        }
    }

    // MARK: Commands

    func send(_ command: WireCommand, to server: ServerName) throws(CommandFailure) -> SessionID {
        guard let id = sessionOfServer[server], let session = sessions[id] else { throw .disconnected }
        guard session.commands.count < SnapshotPublisher.mostCommandsWaiting else { throw .timedOut }
        sessions[id]?.commands.append(.command(command))
        sessions[id]?.wakeUp.yield()
        return id
    }
}
