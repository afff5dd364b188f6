import Foundation
import Testing

/// What the kernel grants a server, and what becomes of flows when it grants no more.
@Suite(.realParts) struct `A server's share of the kernel` {
    /// Stands between a program and its C library: while the file that $REFUSING names is there, epoll takes no TCP
    /// socket but one that listens, as when the user has as many watches as fs.epoll.max_user_watches allows. (That
    /// number itself is everybody's on this machine.)
    private static let refuser = """
        #define _GNU_SOURCE
        #include <errno.h>
        #include <stdlib.h>
        #include <sys/epoll.h>
        #include <sys/socket.h>
        #include <sys/syscall.h>
        #include <unistd.h>
        static int option(int fd, int name) {
            int value = 0;
            socklen_t length = sizeof value;
            return getsockopt(fd, SOL_SOCKET, name, &value, &length) < 0 ? -1 : value;
        }
        int epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event) {
            const char *file = getenv("REFUSING");
            if (operation == EPOLL_CTL_ADD && file && access(file, F_OK) == 0 && option(fd, SO_ACCEPTCONN) == 0
                && option(fd, SO_DOMAIN) == AF_INET) {
                errno = ENOSPC;
                return -1;
            }
            return (int)syscall(SYS_epoll_ctl, epoll, operation, fd, event);
        }
        """

    @Test func `a connection that epoll does not take is ended at once, and counted`() throws {
        let scene = try Scene.present()
        let (source, library, switched) = (scene.path("refuser.c"), scene.path("refuser.so"), scene.path("refusing"))
        try write(Self.refuser, to: source)
        try succeed("cc", ["-shared", "-fPIC", "-o", library, source])
        let fleet = try Fleet()
        let server = try fleet.addServer("za1", environment: ["LD_PRELOAD": library, "REFUSING": switched])
        try fleet.addService(to: Endpoint(try Peer.echo("first").place))
        let hello = clientHello("app.acme.test")
        let half = Array(hello.prefix(30))

        // One that is known already: its endpoint cannot be dialled.
        let known = try TCPConnection(to: server.https)
        try known.send(half)
        try eventually("the flow is open") { try server.flowsOpen() == 1 }
        try write("", to: switched)
        try known.send(Array(hello.dropFirst(30)))
        #expect(known.receiveAll().end == .reset)
        // One that is new.
        let late = try TCPConnection(to: server.https)
        try late.send(half)
        #expect(late.receiveAll().end == .reset)

        try FileManager.default.removeItem(atPath: switched)
        #expect(try server.incidents("watch_refused") == 2)
        try server.awaitNoFlows()
        let next = try TCPConnection(to: server.https)
        try next.send(hello)
        #expect(try next.receive(until: "\n") == "first\n")
    }

    @Test(.enabled(if: Capability.held(.sysAdmin)))
    func `without privileges a hundred flows to clients that do not read have a pipe each`() throws {
        let nginx = try Nginx("first")
        try succeed("dd", ["if=/dev/zero", "of=\(nginx.files)/large", "bs=1M", "count=64", "status=none"])
        let fleet = try Fleet()
        // The kernel counts pipes by user, and this one has none but ours. Nothing else that it may do is taken from
        // it.
        let nobody = [
            "--reuid=\(1_500_000_000 + ProcessInfo.processInfo.processIdentifier)", "--inh-caps=+dac_override",
        ]
        let server = try fleet.addServer("za1", wrapper: ["setpriv"] + nobody + ["--ambient-caps=+dac_override", "--"])
        try fleet.addService(to: nginx.first.endpoint)
        let connections = try (0..<100).map { _ in
            let connection = try TCPConnection(to: server.http)
            try connection.send("GET /files/large HTTP/1.1\r\nHost: app.acme.test\r\n\r\n")
            return connection
        }
        try eventually("each has a pipe", every: .milliseconds(100)) {
            try server.metric("ddirect_worker_pipes{worker=\"0\",state=\"lent\"}") == 100
        }
        #expect(try server.metric("ddirect_worker_pipes_refused_total{worker=\"0\"}") == 0)
        withExtendedLifetime(connections) {}
    }
}
