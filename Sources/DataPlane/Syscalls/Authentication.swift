import COpenSSL

/// Message authentication by libssl.
public enum Authentication {
    /// The HMAC-SHA256 of `octets` (RFC 2104): 32 octets, or none when libssl cannot make it.
    public static func hmac(_ octets: [UInt8], key: [UInt8]) -> [UInt8] {
        ERR_clear_error()
        var length: UInt32 = 0
        let mac = unsafe [UInt8](unsafeUninitializedCapacity: Int(EVP_MAX_MD_SIZE)) { buffer, count in
            count = 0
            let made = unsafe HMAC(
                EVP_sha256(), key, Int32(clamping: key.count), octets, octets.count, buffer.baseAddress, &length)
            if unsafe made != nil { count = min(Int(length), buffer.count) }
        }
        return mac.count == 32 ? mac : []
    }
}
