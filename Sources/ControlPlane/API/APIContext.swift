import Hummingbird
import NIOCore

/// What Hummingbird knows of a request besides the request: here, the connection that it came by.
struct APIContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    let connection: any Channel

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        connection = source.channel
    }
}
