/// Why the store could not do what was asked. The request changed nothing; whether it may be tried again depends on the
/// case.
package enum StoreFailure: Error, Sendable, CustomStringConvertible {
    /// Another process holds the database, or changed it under us.
    case busy(String)
    /// There is no room, or the medium fails.
    case cannotWrite(String)
    /// What the database holds cannot be right.
    case damaged(String)
    /// The database was made by a newer release.
    case tooNew(schema: Int, known: Int)
    /// The file cannot be opened or made.
    case cannotOpen(String)
    /// The database refused what our own rules let through.
    case constraint(String)
    case other(String)

    package var description: String {
        switch self {
        case .busy(let cause): "the database is held by another process (\(cause))"
        case .cannotWrite(let cause): "the database cannot be written (\(cause))"
        case .damaged(let cause): "the database is damaged (\(cause)); expected a whole one: restore a backup"
        case .tooNew(let schema, let known):
            "the database has schema \(schema), and this release knows up to \(known); expected the release that made it, or a newer one"
        case .cannotOpen(let cause): "the database cannot be opened (\(cause))"
        case .constraint(let cause): "the database refused the change (\(cause))"
        case .other(let cause): "the database failed (\(cause))"
        }
    }
}
