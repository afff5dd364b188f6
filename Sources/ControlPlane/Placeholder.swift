import AsyncHTTPClient
import Crypto
import GRDB
import Hummingbird
import Metrics
import NIOPosix
import ServiceLifecycle
// placeholder
