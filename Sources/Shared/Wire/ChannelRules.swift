/// What both ends of the channel hold to; the messages themselves, and their order, are in Channel.proto.
public enum ChannelRules {
    /// The version of the protocol that this release speaks, which Hello names.
    public static let protocolVersion: UInt32 = 1

    /// The first frame must be there by then: a peer that connects and says nothing holds a descriptor for no reason.
    public static let helloDeadline: Duration = .seconds(5)

    /// Each side sends a Heartbeat this often, whatever else it sends.
    public static let heartbeatInterval: Duration = .seconds(1)

    /// After so many intervals without a frame the session is dead. One lost beat may be a busy machine; three are not.
    public static let heartbeatsMissed = 3

    /// 64 MiB: a frame to the data plane may be a whole snapshot, and one of 100,000 services takes about 25 MB.
    public static let longestFrameDown = 64 << 20

    /// 1 MiB: the longest frame from the data plane is a Load that names each of some ten thousand services.
    public static let longestFrameUp = 1 << 20
}
