import SwiftProtobuf
let placeholder = 0
