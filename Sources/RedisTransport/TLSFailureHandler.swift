#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif
import NIOCore
import NIOSSL
import NIOTLS

/// Behind the TLS handler: says in plain words why TLS failed.
final class TLSFailureHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let handler: NIOSSLHandler
    private let layer: TLSLayer
    private var hasShakenHands = false
    private var hasReceived = false

    init(of handler: NIOSSLHandler, layer: TLSLayer) {
        self.handler = handler
        self.layer = layer
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        hasReceived = true
        context.fireChannelRead(data)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .handshakeCompleted = event as? TLSUserEvent { hasShakenHands = true }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.fireErrorCaught(reason(of: error) ?? error)
    }

    func channelInactive(context: ChannelHandlerContext) {
        if !hasReceived { context.fireErrorCaught(closedEarly) }
        context.fireChannelInactive()
    }

    private func reason(of error: any Error) -> RedisError? {
        switch error {
        case let error as NIOSSLExtraError
        where error == .failedToValidateHostname || error == .serverHostnameImpossibleToMatch:
            return .tlsFailed("the server's certificate is not for '\(layer.host)'")
        case NIOSSLError.handshakeFailed(.sslError(let stack)), BoringSSLError.sslError(let stack):
            return reason(in: stack.map { "\($0)" }.joined(separator: " "))
        case NIOSSLError.uncleanShutdown where hasReceived:
            return RedisError(
                code: .connectionClosed, message: "the server closed the connection", effect: .indeterminate)
        default:
            return hasReceived ? nil : closedEarly
        }
    }

    /// What the names in BoringSSL's errors mean; alerts are the server's word.
    private func reason(in errors: String) -> RedisError {
        if errors.contains("EOF during") { return closedEarly }
        if errors.contains("CERTIFICATE_VERIFY_FAILED") { return .tlsFailed(distrust) }
        if errors.contains("CERTIFICATE_REQUIRED") { return .tlsFailed(demand) }
        if errors.contains("WRONG_VERSION_NUMBER") || errors.contains("HTTP_REQUEST") {
            return .tlsFailed("the server speaks no TLS on this port; without TLS the URL is redis://")
        }
        if errors.contains("PROTOCOL_VERSION") || errors.contains("UNSUPPORTED_PROTOCOL") {
            return .tlsFailed("the server offers no TLS 1.2 or newer")
        }
        if layer.settings.certificateFile == nil, errors.contains("HANDSHAKE_FAILURE") {
            // What servers of TLS 1.2 say for want of a certificate, and also for other reasons.
            return .tlsFailed("the server refuses the handshake; it may demand a client certificate")
        }
        let refusals = ["UNKNOWN_CA", "BAD_CERTIFICATE", "CERTIFICATE_EXPIRED", "CERTIFICATE_UNKNOWN", "DECRYPT_ERROR"]
        if refusals.contains(where: errors.contains) {
            return .tlsFailed("the server refuses the client certificate: \(word(in: errors))")
        }
        return .tlsFailed(word(in: errors))
    }

    /// `… error:1000007d:SSL routines:OPENSSL_internal:SOME_REASON at file:line`: some reason.
    private func word(in errors: String) -> String {
        let name = errors.split(separator: "OPENSSL_internal:").last?.split(separator: " ").first ?? "unknown reason"
        return name.lowercased().split(separator: "_").joined(separator: " ")
    }

    private var distrust: String {
        let now = time(nil)
        if let certificate = handler.peerCertificate {
            if certificate.notValidAfter < now {
                let days = (now - certificate.notValidAfter) / 86_400
                return "the server's certificate expired \(days == 1 ? "1 day" : "\(days) days") ago"
            }
            if certificate.notValidBefore > now { return "the server's certificate is not valid yet" }
        }
        let authorities = layer.settings.authorityFile ?? "the system's list; a CA file names another"
        return "the server's certificate is not signed by a valid authority of \(authorities)"
    }

    private var demand: String {
        layer.settings.certificateFile == nil
            ? "the server demands a client certificate" : "the server takes the client certificate for none"
    }

    /// Nothing came before the end, which with TLS 1.3 can also be the server's answer to our certificate: it is judged
    /// when our side of the handshake is over.
    private var closedEarly: RedisError {
        let reason =
            switch (hasShakenHands, layer.settings.certificateFile) {
            case (false, _): "the server closed the connection during the TLS handshake"
            case (true, nil):
                "the server closed the connection after the TLS handshake; it may demand a client certificate"
            case (true, _?):
                "the server closed the connection after the TLS handshake; it may refuse the client certificate"
            }
        return RedisError(code: .connectionClosed, message: reason, effect: .indeterminate)
    }
}
