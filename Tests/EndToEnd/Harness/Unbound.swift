/// unbound: a recursive resolver, as an operator's network has one, that asks `authority` about acme.test and follows
/// its CNAMEs.
final class Unbound: NameServer {
    let place: Place

    init(asking authority: Place) throws {
        let folder = try makeFolder(Scene.present().path("unbound"))
        place = try Place.fresh()
        let configuration = "\(folder)/unbound.conf"
        try write(
            """
            server:
              directory: "\(folder)"
              chroot: ""
              username: ""
              pidfile: "\(folder)/unbound.pid"
              use-syslog: no
              num-threads: 1
              interface: \(place.address)@\(place.port)
              access-control: 127.0.0.0/8 allow
              do-not-query-localhost: no
              local-zone: "test." nodefault
              domain-insecure: "test."
              module-config: "iterator"
            remote-control:
              control-enable: no
            stub-zone:
              name: "acme.test"
              stub-addr: \(authority.address)@\(authority.port)

            """, to: configuration)
        let program = try Program("unbound", ["-d", "-c", configuration])
        try awaitAnswers(program)
    }
}
