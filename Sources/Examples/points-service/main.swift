import GRDB
import Logging
import RedisTransport
import SagaParticipant
import SagaParticipantSQLite
import ServiceLifecycle
import UnixSignals

struct Purchase: Decodable { var customer: String, total: Int }

let logger = Logger(label: "points")
let redis = try RedisEndpoint(url: "redis://127.0.0.1:6379")
let barrier = try SQLiteBarrier(path: "points.sqlite") { db in
    try db.execute(sql: "CREATE TABLE IF NOT EXISTS points (customer TEXT PRIMARY KEY, points INTEGER NOT NULL)")
}
let service = Participant(service: "points", redis: redis, barrier: barrier, logger: logger) { points in
    points.on("award") { (purchase: Purchase, _, db) in
        guard purchase.total > 0 else { throw Refusal("nothing-to-award", "the purchase was free") }
        let upsert = "INSERT INTO points VALUES (?1, ?2) ON CONFLICT DO UPDATE SET points = points + ?2"
        try db.execute(sql: upsert, arguments: [purchase.customer, purchase.total / 100])
    }
    points.on("take-back") { (purchase: Purchase, _, db) in
        let update = "UPDATE points SET points = points - ?2 WHERE customer = ?1"
        try db.execute(sql: update, arguments: [purchase.customer, purchase.total / 100])
    }
}
try await ServiceGroup(services: [service], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger).run()
