/// How a connection is encrypted (TLS 1.2 or newer), and how each side proves who it is.
///
/// The server's certificate is verified wholly: its issuer, its dates, and that it is for the host of the URL, a name or
/// an IP address. There is no way to switch that off. The files are read anew for each attempt to connect, so that
/// certificates that are replaced on disk are in use with the next connection.
public struct RedisTLS: Sendable, Hashable {
    /// A PEM file with the certificates of the authorities that are trusted. Nil: those that the system trusts.
    public var authorityFile: String?
    /// A PEM file with the certificate that is shown to the server, and those of its issuers between it and the root.
    public var certificateFile: String?
    /// A PEM file with the certificate's private key, without a passphrase.
    public var keyFile: String?
    /// The DNS name that the server's certificate has to be for, where that is not the host of the URL.
    public var serverName: String?

    public init(
        authorityFile: String? = nil, certificateFile: String? = nil, keyFile: String? = nil, serverName: String? = nil
    ) {
        self.authorityFile = authorityFile
        self.certificateFile = certificateFile
        self.keyFile = keyFile
        self.serverName = serverName
    }
}
