import Foundation
import Testing

@testable import Model

struct SafeTensorsDamageTests {
  private static let whole = tensorFile(
    "{\"__metadata__\":{\"format\":\"pt\"}," + entry("a", "F32", [2, 3], 0, 24) + ","
      + entry("b", "I64", [], 24, 32) + "," + entry("c", "BF16", [3], 32, 38) + "}",
    data: Data(0..<38))

  /// Opens a file and reads every tensor that can be read.
  private static func read(_ url: URL) throws {
    let file = try SafeTensors.File(contentsOf: url)
    for tensor in file.tensors where tensor.type.isReadableAsFloat {
      #expect(file.floats(tensor).count == tensor.count)
    }
  }

  private static func problem(_ data: Data, _ folder: TemporaryFolder) throws
    -> SafeTensors.Problem?
  {
    let url = try folder.write(data)
    let error = #expect(throws: WeightError.self) { try SafeTensors.File(contentsOf: url) }
    guard case .damaged(url.path, let problem) = error else { return nil }
    #expect(error?.message.contains("\n") == false)
    return problem
  }

  @Test func everyMissingEndIsNoticed() throws {
    let folder = try TemporaryFolder()
    try Self.read(folder.write(Self.whole))
    for count in 1..<Self.whole.count {
      guard case .truncated(let needed, count) = try Self.problem(Self.whole.prefix(count), folder)
      else {
        Issue.record("\(count) bytes")
        continue
      }
      #expect(needed > count && needed <= Self.whole.count)
    }
    #expect(try Self.problem(Self.whole + [0, 0], folder) == .trailingBytes(2))
  }

  @Test func aFlippedBitIsNoticedOrHarmless() throws {
    let numbers = 38
    let header = Self.whole.count - numbers
    var noticed = 0
    for index in 0..<header {
      for bit in 0..<8 {
        var damaged = Self.whole
        damaged[index] ^= 1 << bit
        do {
          let found = try damaged.withUnsafeBytes { try SafeTensors.Header($0) }
          try found.check(size: damaged.count)
          for tensor in found.tensors {
            #expect(tensor.range.upperBound <= numbers)
            #expect(tensor.shape.reduce(tensor.type.byteCount, *) == tensor.range.count)
          }
        } catch is SafeTensors.Problem {
          noticed += 1
        }
      }
    }
    // What is left are other names, other texts and types of the same size.
    #expect(noticed > header * 8 * 6 / 10)
  }

  @Test func impossibleHeadersAreRefused() throws {
    let folder = try TemporaryFolder()
    let four = Data(count: 4)
    func one(_ fields: String) -> Data { tensorFile("{\"a\":{\(fields)}}", data: four) }
    let fields = "\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]"
    try Self.read(folder.write(one(fields)))
    let long = String(repeating: "9", count: 30)
    let cases: [(Data, SafeTensors.Problem)] = [
      (
        withUnsafeBytes(of: UInt64.max) { Data($0) } + Data("{}".utf8),
        .headerTooLarge(.max)
      ),
      (
        withUnsafeBytes(of: UInt64(100_000_001)) { Data($0) } + Data("{}".utf8),
        .headerTooLarge(100_000_001)
      ),
      (tensorFile("[]"), .notSafeTensors),
      (tensorFile("  {}"), .notSafeTensors),
      (tensorFile(""), .syntax(byte: 0, expected: "'{'")),
      (tensorFile("{"), .syntax(byte: 1, expected: "'\"'")),
      (tensorFile("{}}"), .syntax(byte: 2, expected: "nothing more")),
      (tensorFile("{}\0"), .syntax(byte: 2, expected: "nothing more")),
      (tensorFile("{\"a\":"), .syntax(byte: 5, expected: "'{'")),
      (tensorFile("{\"a"), .syntax(byte: 3, expected: "'\"'")),
      (tensorFile("{\"a\":{}}"), .incomplete("a")),
      (tensorFile("{\"a\n\":{}}"), .syntax(byte: 3, expected: "no control character in a text")),
      (
        tensorFile("{\"a\\q\":{}}"),
        .syntax(byte: 4, expected: "one of \"\\/bfnrtu after a backslash")
      ),
      (tensorFile("{\"\\u12g4\":{}}"), .syntax(byte: 4, expected: "four hexadecimal digits")),
      (tensorFile("{\"\\u12"), .syntax(byte: 4, expected: "four hexadecimal digits")),
      (tensorFile("{\"\\ud800\":{}}"), .syntax(byte: 8, expected: "a whole character")),
      (tensorFile("{\"\\udc00x\":{}}"), .syntax(byte: 8, expected: "a whole character")),
      (tensorFile("{\"\\"), .syntax(byte: 3, expected: "one of \"\\/bfnrtu after a backslash")),
      (tensorFile(Data([0x7B, 0x22, 0xC3, 0x28, 0x22, 0x7D])), .notText),
      (
        tensorFile("{\"__metadata__\":{\"a\":1}}"),
        .syntax(byte: 21, expected: "'\"'")
      ),
      (
        tensorFile(String(repeating: "{\"a\":", count: 100_000)),
        .syntax(byte: 10, expected: "'dtype', 'shape' or 'data_offsets'")
      ),
      (
        one("\"dtype\":\"F32\",\"shape\":" + String(repeating: "[", count: 100_000)),
        .syntax(byte: 29, expected: "a whole number")
      ),
      (
        one("\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]"),
        .syntax(byte: 29, expected: "a whole number")
      ),
      (
        one("\"dtype\":\"F32\",\"shape\":[01],\"data_offsets\":[0,4]"),
        .syntax(byte: 29, expected: "a whole number")
      ),
      (
        one("\"dtype\":\"F32\",\"shape\":[1.0],\"data_offsets\":[0,4]"),
        .syntax(byte: 30, expected: "']'")
      ),
      (
        one("\"dtype\":\"F32\",\"shape\":[\(long)],\"data_offsets\":[0,4]"),
        .numberTooLarge(byte: 29)
      ),
      (
        one("\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,\(long)]"),
        .numberTooLarge(byte: 50)
      ),
      (
        one("\"dtype\":\"F32\",\"shape\":[4611686018427387904],\"data_offsets\":[0,4]"),
        .tooLarge(tensor: "a")
      ),
      (
        one("\"dtype\":\"F32\",\"shape\":[4294967296,4294967296,0],\"data_offsets\":[0,0]"),
        .tooLarge(tensor: "a")
      ),
      (
        one(
          "\"dtype\":\"U8\",\"shape\":[9223372036854775807],"
            + "\"data_offsets\":[0,9223372036854775807]"),
        .tooLarge(tensor: "a")
      ),
      (
        one(
          "\"dtype\":\"F32\",\"shape\":[\(Array(repeating: "1", count: 65).joined(separator: ","))],"
            + "\"data_offsets\":[0,4]"),
        .tooManyDimensions(65, tensor: "a")
      ),
      (
        one("\"dtype\":\"Q4\",\"shape\":[1],\"data_offsets\":[0,4]"),
        .unknownType("Q4", tensor: "a")
      ),
      (
        one("\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,0]"),
        .reversedOffsets(tensor: "a")
      ),
      (
        one("\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]"),
        .wrongExtent(tensor: "a", expected: 8, found: 4)
      ),
      (one("\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4,8]"), .incomplete("a")),
      (one("\"shape\":[1],\"data_offsets\":[0,4]"), .incomplete("a")),
      (one(fields + ",\"shape\":[1]"), .duplicateName("a.shape")),
      (
        tensorFile("{\(entry("a", "F32", [1], 0, 4)),\(entry("a", "F32", [1], 4, 8))}"),
        .duplicateName("a")
      ),
      (
        tensorFile("{\"__metadata__\":{\"a\":\"\",\"a\":\"\"}}"), .duplicateName("a")
      ),
      (
        tensorFile("{\(entry("a", "F32", [2], 0, 8)),\(entry("b", "F32", [1], 4, 8))}", data: four),
        .overlap("a", "b")
      ),
      (
        tensorFile("{\(entry("a", "F32", [1], 0, 4)),\(entry("b", "F32", [1], 0, 4))}", data: four),
        .overlap("a", "b")
      ),
      (
        tensorFile(
          "{\(entry("a", "F32", [1], 0, 4)),\(entry("b", "F32", [1], 6, 10))}", data: four),
        .gap(before: "b", bytes: 2)
      ),
    ]
    for (data, expected) in cases {
      let found = try Self.problem(data, folder)
      #expect(found == expected, "\(String(decoding: data.prefix(120), as: UTF8.self))")
    }
  }
}
