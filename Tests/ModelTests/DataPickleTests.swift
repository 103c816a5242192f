import Foundation
import Testing

@testable import Model

@Suite struct DataPickleTests {
  private static let batches =
    ["python2-0", "python2-1", "python2-2"] + (0...5).map { "python3-\($0)" }
    + ["bytes-keys", "array-labels", "scalar-labels", "fortran"]

  private func records(_ bytes: [UInt8]) throws -> CIFAR.Records {
    var records = CIFAR.Records()
    try CIFAR.ten.appendPickled(bytes, file: "batch", to: &records, limit: .max)
    return records
  }

  private func read(_ text: String) throws -> PickleDocument {
    try PickleReader.read(Array(text.utf8), allowing: PickleGlobal.numpy)
  }

  @Test(arguments: batches) func everyWriterIsUnderstood(_ name: String) throws {
    var expected = CIFAR.Records()
    try CIFAR.ten.appendBinary(
      Array(DataFixtures.bytes("cifar-10-batches-bin/test_batch.bin").prefix(2 * 3073)),
      file: "test_batch.bin", to: &expected, limit: .max)
    let found = try records(DataFixtures.bytes("pickles/\(name)"))
    #expect(found.labels == expected.labels)
    #expect(found.pixels == expected.pixels)
  }

  @Test func textsAreUnescaped() throws {
    for name in ["python2-0", "python2-2", "python3-0", "python3-5"] {
      let document = try PickleReader.read(
        DataFixtures.bytes("pickles/\(name)"), allowing: PickleGlobal.numpy)
      let names = document.sequence(document.value(of: "filenames", in: document.root))
      #expect(names?.map { document.text($0) } == ["one's.png", "\"two\".png"])
    }
    let document = try read(
      "(lV\\u00e4\\U0001F600\np0\naS'a\\x41\\n\\\\\\''\naI-12\naL3L\naI01\naF1.5\naNa.")
    let items = try #require(document.sequence(document.root))
    #expect(document.text(items[0]) == "ä😀")
    #expect(document.text(items[1]) == "aA\n\\'")
    #expect(Array(items[2...]) == [.integer(-12), .integer(3), .boolean(true), .real(1.5), .none])
  }

  @Test func longNumbersKeepTheirSign() throws {
    func value(_ bytes: [UInt8]) throws -> PickleValue {
      try PickleReader.read([0x80, 2] + bytes + [0x2E], allowing: []).root
    }
    #expect(try value([0x8A, 0]) == .integer(0))
    #expect(try value([0x8A, 1, 0xFF]) == .integer(-1))
    #expect(try value([0x8A, 2, 0xFF, 0]) == .integer(255))
    #expect(try value([0x8A, 8, 0, 0, 0, 0, 0, 0, 0, 0x80]) == .integer(.min))
    #expect(
      try value([0x8A, 9, 0, 0, 0, 0, 0, 0, 0, 0x80, 0])
        == .bigInteger([0, 0, 0, 0, 0, 0, 0, 0x80, 0]))
    #expect(try value([0x4A, 0xFE, 0xFF, 0xFF, 0xFF]) == .integer(-2))
  }

  @Test func nothingOutsideTheListIsAccepted() throws {
    let trap = try DataFixtures.bytes("pickles/trap")
    #expect(throws: PickleError.forbiddenGlobal(name: "__builtin__.print", offset: 19)) {
      try PickleReader.read(trap, allowing: PickleGlobal.numpy)
    }
    for text in ["cos\nsystem\n(S'true'\ntR.", "(S'true'\nios\nsystem\n."] {
      #expect {
        try read(text)
      } throws: { error in
        if case .forbiddenGlobal(let name, _) = error as? PickleError { return name == "os.system" }
        return false
      }
    }
    #expect(throws: PickleError.self) { try read("\u{82}\u{1}.") }
    let stacked: [UInt8] =
      [0x80, 4, 0x8C, 2] + Array("os".utf8) + [0x8C, 6]
      + Array("system".utf8) + [0x93, 0x2E]
    #expect(throws: PickleError.forbiddenGlobal(name: "os.system", offset: 14)) {
      try PickleReader.read(stacked, allowing: PickleGlobal.numpy)
    }
  }

  @Test func persistentNumbersAndObjectsAreDescribed() throws {
    // As PyTorch writes a tensor: a rebuild function with a storage outside the pickle.
    let rebuild = PickleGlobal("torch._utils", "_rebuild_tensor_v2")
    let ordered = PickleGlobal("collections", "OrderedDict")
    let text =
      "ccollections\nOrderedDict\n(tR(S'w'\nctorch._utils\n_rebuild_tensor_v2\n"
      + "((S'storage'\nS'0'\ntQI0\ntRu."
    let document = try PickleReader.read(Array(text.utf8), allowing: [rebuild, ordered])
    #expect(document.node(document.root)?.constructor == ordered)
    let tensor = try #require(document.value(of: "w", in: document.root))
    let node = try #require(document.node(tensor))
    #expect(node.constructor == rebuild)
    #expect(node.arguments.last == .integer(0))
    let storage = try #require(node.arguments.first.flatMap(document.node))
    #expect(
      document.sequence(storage.items.first)?.compactMap { document.text($0) } == ["storage", "0"])
  }

  @Test func everyTruncationIsAnError() throws {
    for name in Self.batches {
      let bytes = try DataFixtures.bytes("pickles/\(name)")
      for length in stride(from: 0, to: bytes.count, by: length(bytes)) {
        #expect(throws: DataError.self) { try records(Array(bytes.prefix(length))) }
      }
    }
  }

  private func length(_ bytes: [UInt8]) -> Int { max(1, bytes.count / 300) }

  @Test func damagedBytesNeverCrash() throws {
    for name in Self.batches {
      let bytes = try DataFixtures.bytes("pickles/\(name)")
      // The instructions before and after the pixels, and a few of the pixels.
      let positions = Array(0..<250) + Array((bytes.count - 50)..<bytes.count)
      for position in positions {
        for change: UInt8 in position.isMultiple(of: 2) ? [0x01, 0xFF] : [0x10, 0x80] {
          var damaged = bytes
          damaged[position] ^= change
          do {
            _ = try records(damaged)
          } catch let error as DataError {
            #expect(!error.message.isEmpty)
          }
        }
      }
    }
  }

  @Test func hostilePicklesAreHarmless() throws {
    // A hundred thousand lists in each other, a list in itself, lengths beyond the file.
    let nested = [UInt8](repeating: 0x5D, count: 100_000) + [UInt8](repeating: 0x61, count: 99_999)
    #expect(try PickleReader.read(nested + [0x2E], allowing: []).nodes.count == 100_000)
    #expect(
      try PickleReader.read([0x5D, 0x71, 0, 0x68, 0, 0x61, 0x2E], allowing: []).nodes.count == 1)
    for bytes: [UInt8] in [
      [0x8E, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], [0x54, 0xFF, 0xFF, 0xFF, 0xFF],
      [0x8B, 0xFF, 0xFF, 0xFF, 0x7F], [0x8D, 0, 0, 0, 0, 0, 0, 0, 0x80],
    ] {
      #expect(throws: PickleError.truncated(offset: bytes.count)) {
        try PickleReader.read(bytes, allowing: [])
      }
    }
    #expect(throws: PickleError.tooLarge(limit: 10, offset: 10)) {
      try PickleReader.read([UInt8](repeating: 0x4E, count: 100), allowing: [], limit: 10)
    }
    for text in [
      ".", "(t", "t.", "a.", "(I1\nd.", "0.", "g5\n.", "}I1\ns.", "R.", "b.", "(o.", "Ix\n.",
      "S'a\n.",
    ] {
      #expect(throws: PickleError.self, "\(text)") { try read(text) }
    }
  }
}
