// The generated types hold Foundation's Data, which nobody beyond this module is to know.

extension WireEnroll {
    public var requestOctets: [UInt8] { Array(certificateRequest) }
}

extension WireCertificateRequest {
    public var octets: [UInt8] { Array(certificateRequest) }
}

extension WireCertificate {
    public var octets: [UInt8] { Array(certificate) }
}
