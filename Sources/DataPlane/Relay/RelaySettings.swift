public import Domain
import Syscalls

/// Bounds and deadlines of the relay. Each has a default that serves; tests and unusual networks set others.
public struct RelaySettings: Sendable {
    /// From accept until the whole hello, request head or PROXY header has come: a device on a bad radio link needs
    /// seconds.
    public var helloTimeout: Duration = .seconds(10)
    /// For one attempt to connect to an endpoint: two SYNs may be lost.
    public var connectTimeout: Duration = .seconds(5)
    /// Without a byte in either direction. An hour: apps keep push connections open and speak on them rarely.
    public var idleTimeout: Duration = .seconds(3600)
    /// Without a byte, once one side has ended and nothing is owed to anybody.
    public var halfCloseTimeout: Duration = .seconds(60)
    /// From a whole request of plain HTTP until its response begins. Five minutes: long polls wait for one or two, and
    /// an endpoint that takes longer has forgotten the request.
    public var responseTimeout: Duration = .seconds(300)
    /// Addresses of this machine that endpoints are dialled from, in turn; none for what the kernel chooses.
    public var sources: [Address] = []
    /// Flows of one worker. Each takes two descriptors, and two more while it splices.
    public var flowLimit: Int = 8192
    /// From the first octet of a hello or head on: for so long no rate is asked for.
    public var paceGrace: Duration = .seconds(Int64(MinimumRate.helloGrace))
    /// Over how long the rate of a body is measured.
    public var paceWindow: Duration = .seconds(Int64(MinimumRate.bodyWindow))
    /// Bytes of one worker's buffers on loan to hellos, heads and slow peers (`BufferAccounts` tells who has which part
    /// of them).
    public var bufferLimit: Int = 256 << 20
    /// Pipes of one worker.
    public var pipeShare: Int = PipePool.most

    /// Who may call the monitor endpoint: of strangers what all workers share, of the fleet's probes what each has.
    var monitorStrangers = MonitorGate.Limits.strangers
    var monitorKnown = MonitorGate.Limits.known

    public init() {}
}
