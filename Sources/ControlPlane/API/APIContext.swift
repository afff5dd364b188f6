package import Hummingbird
import NIOCore

/// What Hummingbird knows of a request besides the request: here, the connection that it came by.
package struct APIContext: RequestContext {
    package var coreContext: CoreRequestContextStorage
    let connection: any Channel

    package init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        connection = source.channel
    }
}
