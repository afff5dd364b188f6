import CHost

/// The descriptors of this process.
public enum Descriptors {
    /// Raises the limit as far as it goes and answers it. A shell's or systemd's default of 1,024 is for programs that
    /// use select(2).
    public static func raiseLimit() -> Int { Int(clamping: host_raise_descriptor_limit()) }
}
