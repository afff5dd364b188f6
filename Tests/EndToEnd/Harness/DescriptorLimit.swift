import Glibc

/// How many descriptors the test runner itself may have: the tests of floods open thousands of connections in it.
enum DescriptorLimit {
    /// Two thousand connections of a flood, and everything that other tests have open beside it.
    private static let needed: rlim_t = 4096

    /// Raised with the first scene, for the whole run: the limit is the process's, not a test's.
    private static let outcome = Result { try raiseSoftLimit() }.mapError { Failure("\($0)") }

    /// Sees to it that there are enough, or throws with what has to be done.
    static func ensure() throws { try outcome.get() }

    private static func raiseSoftLimit() throws {
        let descriptors = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        var limit = rlimit()
        guard unsafe getrlimit(descriptors, &limit) == 0 else { throw Failure("getrlimit: errno \(errno)") }
        guard limit.rlim_cur < needed else { return }
        guard limit.rlim_max >= needed else {
            throw Failure(
                "these tests need \(needed) descriptors, and may have \(limit.rlim_max); raise the hard limit (ulimit -Hn \(needed))"
            )
        }
        limit.rlim_cur = needed
        guard unsafe setrlimit(descriptors, &limit) == 0 else { throw Failure("setrlimit: errno \(errno)") }
    }
}
