import Testing
import ShopStage

/// The audit finds what does not add up, whatever it is.
@Suite struct AuditTests {
    /// Two orders, one kept and one undone, and nothing wrong with them.
    static let sound: ShopBooks = {
        var books = ShopBooks()
        books.orders = [
            "kept": .init(customer: "ada", day: "monday", total: 1_000, status: "confirmed", lines: ["tea": 2]),
            "undone": .init(customer: "ada", day: "monday", total: 700, status: "cancelled", lines: ["cup": 1]),
        ]
        books.days = ["monday": .init(capacity: 3, booked: 1)]
        books.stock = ["tea": .init(initial: 5, available: 3), "cup": .init(initial: 1, available: 1)]
        books.reservations = [
            "kept": .init(status: "reserved", lines: ["tea": 2]),
            "undone": .init(status: "released", lines: ["cup": 1]),
        ]
        books.accounts = ["ada": .init(opening: 1_500, balance: 500, credit: 0)]
        books.payments = [
            "kept": .init(customer: "ada", amount: 1_000, status: "captured"),
            "undone": .init(customer: "ada", amount: 700, status: "refunded"),
        ]
        return books
    }()

    private static let started = ["kept", "undone", "refused"]
    private static let ends: [String: Audit.End] = [
        "kept": .completed, "undone": .compensated, "refused": .compensated,
    ]

    @Test func soundBooksHaveNoFindings() {
        let audit = Audit(Self.sound, started: Self.started, ends: Self.ends)
        #expect(audit.findings.isEmpty)
        #expect(audit.counts.orders == ["confirmed": 1, "cancelled": 1, "": 1])
        #expect(audit.counts.stockInitial == 6 && audit.counts.stockLeft == 4 && audit.counts.stockReserved == 2)
    }

    struct Fault: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var plant: @Sendable (inout ShopBooks) -> Void

        init(_ name: String, _ plant: @escaping @Sendable (inout ShopBooks) -> Void) {
            testDescription = name
            self.plant = plant
        }
    }

    static let faults = [
        Fault("half done order") { $0.orders["undone"]?.status = "pending" },
        Fault("confirmed order of a compensated saga") { $0.orders["undone"]?.status = "confirmed" },
        Fault("cancelled order of a completed saga") { $0.orders["kept"]?.status = "cancelled" },
        Fault("lost order") { $0.orders["kept"] = nil },
        Fault("lost reservation") { $0.reservations["kept"] = nil },
        Fault("reservation that was not released") { $0.reservations["undone"]?.status = "reserved" },
        Fault("reservation of something else") { $0.reservations["kept"]?.lines = ["tea": 1] },
        Fault("lost payment") { $0.payments["kept"] = nil },
        Fault("payment that was not refunded") { $0.payments["undone"]?.status = "captured" },
        Fault("payment of another amount") { $0.payments["kept"]?.amount = 999 },
        Fault("stock taken twice") { $0.stock["tea"]?.available = 1 },
        Fault("stock that came from nowhere") { $0.stock["cup"]?.available = 2 },
        Fault("money taken twice") { $0.accounts["ada"]?.balance = -500 },
        Fault("money that came from nowhere") { $0.accounts["ada"]?.balance = 1_500 },
        Fault("delivery booked twice") { $0.days["monday"]?.booked = 2 },
        Fault("order that nobody placed") { books in
            books.orders["stranger"] = .init(customer: "ada", day: "monday", total: 1, status: "cancelled")
        },
        Fault("reservation that nobody asked for") { $0.reservations["stranger"] = .init(status: "released") },
        Fault("payment that nobody asked for") { books in
            books.payments["stranger"] = .init(customer: "ada", amount: 1, status: "refunded")
        },
    ]

    @Test(arguments: faults)
    func aPlantedFaultIsFound(_ fault: Fault) {
        var books = Self.sound
        fault.plant(&books)
        #expect(!Audit(books, started: Self.started, ends: Self.ends).findings.isEmpty)
    }

    @Test(arguments: [Audit.End.stuck, .unfinished, nil])
    func anOrderWithoutAnEndIsFound(_ end: Audit.End?) {
        var ends = Self.ends
        ends["refused"] = end
        #expect(Audit(Self.sound, started: Self.started, ends: ends).findings.count == 1)
    }

    @Test func theTableShowsWhatTheAuditCounted() {
        let table = AuditTable(Audit(Self.sound, started: Self.started, ends: Self.ends)).description
        let expected = """
                            orders        inventory    payments     sagas
              kept          confirmed 1   reserved 1   captured 1   completed 1
              undone        cancelled 1   released 1   refunded 1   compensated 2
              never begun   none 1        none 1       none 1
              half done     other 0       other 0      other 0      without end 0

              articles     6 at first       =   4 left        + 2 reserved
              cents        1,500 at first   =   500 left      + 1,000 captured
              deliveries   1 booked         =   1 confirmed
            """
        #expect(table == expected)
    }
}
