import Foundation
import Testing

@testable import Model

struct SealedTensorFileTests {
  private static func write(_ url: URL) throws {
    let floats = (0..<6).map { Float($0) / 3 }
    try SealedTensorFile.write(
      description: #"with "quotes" and /slashes/ and ümlauts"#,
      tensors: [
        SafeTensors.Source(
          name: "a.weight", shape: [2, 3],
          values: .floats { target in
            for (index, value) in floats.enumerated() { target[index] = value }
          }),
        SafeTensors.Source(name: "count", shape: [], values: .integer(1 << 40)),
        SafeTensors.Source(
          name: "b", shape: [1], values: .floats { $0[0] = -.infinity }),
      ], to: url)
  }

  private static func floats(_ file: SealedTensorFile, _ name: String, _ shape: [Int]) throws
    -> [Float]
  {
    var values: [Float] = []
    try file.withFloats(name, shape: shape) {
      values = Array(UnsafeBufferPointer(start: $0, count: shape.reduce(1, *)))
    }
    return values
  }

  @Test func whatIsWrittenIsRead() throws {
    let folder = try TemporaryFolder()
    let url = folder.url.appending(path: "file.safetensors")
    try Self.write(url)
    let file = try SealedTensorFile(contentsOf: url)
    #expect(file.description == #"with "quotes" and /slashes/ and ümlauts"#)
    #expect(file.names == ["a.weight", "count", "b"])
    #expect(try Self.floats(file, "a.weight", [2, 3]) == (0..<6).map { Float($0) / 3 })
    #expect(try Self.floats(file, "b", [1]) == [-.infinity])
    #expect(try file.integer("count") == 1 << 40)
    #expect(throws: CheckpointError.missingTensor(file: url.path, name: "c")) {
      try Self.floats(file, "c", [1])
    }
    #expect(
      throws: CheckpointError.wrongShape(
        file: url.path, name: "a.weight", found: [2, 3], expected: [6])
    ) { try Self.floats(file, "a.weight", [6]) }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path).count == 1)
  }

  @Test func everyFlippedBitIsNoticed() throws {
    let folder = try TemporaryFolder()
    let url = folder.url.appending(path: "file.safetensors")
    try Self.write(url)
    let original = try Data(contentsOf: url)
    for index in original.indices {
      var damaged = original
      damaged[index] ^= 1 << (index % 8)
      try damaged.write(to: url)
      #expect(throws: CheckpointError.self, "byte \(index)") {
        try SealedTensorFile(contentsOf: url)
      }
    }
  }

  @Test func everyMissingEndIsNoticed() throws {
    let folder = try TemporaryFolder()
    let url = folder.url.appending(path: "file.safetensors")
    try Self.write(url)
    let original = try Data(contentsOf: url)
    for count in 0..<original.count {
      try original.prefix(count).write(to: url)
      #expect(throws: CheckpointError.self, "\(count) bytes") {
        try SealedTensorFile(contentsOf: url)
      }
    }
    try (original + [0]).write(to: url)
    #expect(throws: CheckpointError.damaged(file: url.path)) {
      try SealedTensorFile(contentsOf: url)
    }
  }

  @Test func otherFilesAreRefused() throws {
    let folder = try TemporaryFolder()
    let url = folder.url.appending(path: "file")
    let error = #expect(throws: CheckpointError.self) { try SealedTensorFile(contentsOf: url) }
    #expect(error?.message == "cannot read '\(url.path)': no such file or directory")
    try Data(repeating: 7, count: 500).write(to: url)
    #expect(throws: CheckpointError.notACheckpoint(file: url.path)) {
      try SealedTensorFile(contentsOf: url)
    }
  }
}
