import Hummingbird
public import Logging
public import SagaOrchestrator
import SagaCore
import SagaStore
public import ServiceLifecycle

/// Why the server ended, in one line: most often, that its address is taken.
public struct HealthServerError: Error, Sendable, Hashable, CustomStringConvertible {
    public var description: String
}

/// The orchestrator's HTTP side: whether it lives, whether it can work, and what it does in numbers.
public struct HealthServer: Service {
    private let application: Application<RouterResponder<BasicRequestContext>>
    private let address: HTTPAddress

    /// - Precondition: The address is of this machine only: nothing here asks who calls.
    public init(orchestrator: Orchestrator, address: HTTPAddress, logger: Logger) {
        precondition(address.isLoopback, "HTTP without tokens is served to this machine only, not at \(address)")
        self.address = address
        application = Application(
            router: Self.router(orchestrator),
            configuration: ApplicationConfiguration(address: .hostname(address.host, port: address.port)),
            logger: logger)
    }

    public func run() async throws {
        do {
            try await application.run()
        } catch let error as CancellationError {
            throw error
        } catch {
            throw HealthServerError(description: "HTTP cannot be served at \(address): \(error)")
        }
    }

    static func router(_ orchestrator: Orchestrator) -> Router<BasicRequestContext> {
        let router = Router()
        router.get("healthz") { _, _ in Self.json(.ok) { $0.field("status", "ok") } }
        router.get("readyz") { _, _ in
            switch orchestrator.readiness {
            case .ready:
                Self.json(.ok) { writer in
                    writer.field("status", "ready")
                    // It works: what is begun goes on. Another instance would be no better off.
                    if let overload = orchestrator.overload { writer.field("overloaded", overload.description) }
                    if let impediment = orchestrator.durabilityImpediment { writer.field("durability", impediment) }
                }
            case .starting(let reason): Self.unready("starting", reason)
            case .unreachable(let reason): Self.unready("Redis does not answer", reason)
            }
        }
        router.get("metrics") { _, _ in
            let counts = orchestrator.counts
            var text = ""
            func add(_ name: String, _ type: String, _ help: String, _ value: Int) {
                text += "# HELP skald_\(name) \(help)\n# TYPE skald_\(name) \(type)\nskald_\(name) \(value)\n"
            }
            add(
                "partitions_held", "gauge", "Partitions that this orchestrator owns.", orchestrator.heldPartitions.count
            )
            add("overloaded", "gauge", "1 while no sagas are begun.", orchestrator.overload == nil ? 0 : 1)
            add("sagas_started_total", "counter", "Sagas begun.", counts.started)
            add("sagas_ended_total", "counter", "Sagas completed or compensated.", counts.ended)
            add("sagas_stuck_total", "counter", "Times that a saga got stuck.", counts.stuck)
            add("messages_applied_total", "counter", "Answers that counted.", counts.applied)
            add(
                "messages_ignored_total", "counter", "Answers that were late, doubled or of an older era.",
                counts.ignored)
            add("sagas_removed_total", "counter", "Ended sagas whose retention was over.", counts.removed)
            add("commits_fenced_total", "counter", "Commits refused because of another owner.", counts.fenced)
            add("messages_dead_total", "counter", "Messages that went to the dead letters.", counts.dead)
            return Response(
                status: .ok, headers: [.contentType: "text/plain; version=0.0.4"],
                body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
        }
        return router
    }

    private static func unready(_ status: String, _ reason: String?) -> Response {
        json(.serviceUnavailable) { writer in
            writer.field("status", status)
            writer.field("reason", reason)
        }
    }

    private static func json(_ status: HTTPResponse.Status, _ body: (inout JSONWriter) -> Void) -> Response {
        var writer = JSONWriter()
        writer.beginObject()
        body(&writer)
        writer.endObject()
        return Response(
            status: status, headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: writer.bytes)))
    }
}
