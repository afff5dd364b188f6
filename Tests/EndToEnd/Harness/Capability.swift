import Foundation

/// What the kernel lets this process do, by its bit (capabilities(7)). root has all of them, but in a container some
/// are missing.
enum Capability: UInt64 {
    case netAdmin = 12
    case sysPtrace = 19
    case sysAdmin = 21

    static func held(_ wanted: Capability...) -> Bool {
        let line = text(ofFile: "/proc/self/status").split(separator: "\n").first { $0.hasPrefix("CapEff:") }
        let digits = line?.dropFirst("CapEff:".count).trimmingCharacters(in: .whitespaces) ?? ""
        let bits = UInt64(digits, radix: 16) ?? 0
        return wanted.allSatisfy { bits & (1 << $0.rawValue) != 0 }
    }
}
