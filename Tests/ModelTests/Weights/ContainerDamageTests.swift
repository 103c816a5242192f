import Foundation
import Testing

@testable import Model

/// Every reader on files that are cut, changed and lie about their contents: tensors or one error,
/// never more memory than the file can account for.
struct ContainerDamageTests {
  struct Reader: CustomTestStringConvertible, Sendable {
    let file: String
    let container: WeightContainer
    var rounds = 400
    var testDescription: String { file }
  }

  static let readers = [
    Reader(file: "torch-zip.pth", container: .torchZip, rounds: 800),
    Reader(file: "odd.pth", container: .torchZip, rounds: 800),
    Reader(file: "mini-jahongir7174-module.pt", container: .torchZip),
    Reader(file: "torch-legacy.pth", container: .torchLegacy, rounds: 800),
    Reader(file: "mini-timm-legacy.pth", container: .torchLegacy),
    Reader(file: "fortran.npy", container: .numpyArray, rounds: 800),
    Reader(file: "mini-hankyul2-dictionary.npy", container: .numpyArray),
    Reader(file: "mini-timm-compressed.npz", container: .numpyArchive),
    Reader(file: "mini-google.index", container: .tensorFlow),
    Reader(file: "mini-google-objects.index", container: .tensorFlow),
    Reader(file: "mini-keras.weights.h5", container: .hdf5),
  ]

  /// Reads everything in a file; what it throws is the reader's word for the damage.
  private func read(_ bytes: [UInt8], _ container: WeightContainer, data: MappedFile?) throws -> Int
  {
    let file = MappedFile(copying: bytes)
    let tensors: [WeightTensor]
    if container == .tensorFlow {
      var checkpoint = TensorFlowCheckpoint(index: file) { _, _ in data }
      tensors = try checkpoint.tensors()
    } else {
      tensors = try WeightFile.read(file, container, URL(fileURLWithPath: "/damaged")).tensors
    }
    for tensor in tensors where tensor.count < 1 << 20 {
      let size = try tensor.withContiguousBytes { bytes throws(ContainerProblem) in bytes.count }
      #expect(size == tensor.count * tensor.type.byteCount)
    }
    return tensors.count
  }

  @Test(arguments: readers) func damageIsNoticedOrHarmless(_ reader: Reader) throws {
    let whole = Array(try Data(contentsOf: MiniNetwork.file(reader.file)))
    let data =
      reader.container == .tensorFlow
      ? try MappedFile(
        MiniNetwork.file(reader.file.replacing(".index", with: ".data-00000-of-00001"))) : nil
    #expect(try read(whole, reader.container, data: data) > 0)
    var random = SplitMix(state: stableHash(reader.file))
    var noticed = 0
    for _ in 0..<reader.rounds {
      var bytes = whole
      switch random.below(4) {
      case 0: bytes.removeLast(1 + random.below(bytes.count - 1))
      case 1:
        // A stretch of the file stands elsewhere too.
        let count = min(1 + random.below(64), bytes.count)
        let from = random.below(bytes.count - count + 1)
        let to = random.below(bytes.count - count + 1)
        bytes.replaceSubrange(to..<(to + count), with: whole[from..<(from + count)])
      default:
        for _ in 0...random.below(8) {
          // Structure is at the ends more than in the middle.
          let place = random.below(3) == 0 ? random.below(bytes.count) : random.near(bytes.count)
          bytes[place] = [0, 1, 0x7F, 0x80, 0xFF, UInt8(random.below(256))][random.below(6)]
        }
      }
      do {
        _ = try read(bytes, reader.container, data: data)
      } catch is ContainerProblem {
        noticed += 1
      }
    }
    #expect(noticed > reader.rounds / 8)
  }

  @Test(arguments: readers) func everyMissingEndIsNoticed(_ reader: Reader) throws {
    // A number at the end of a file that no tensor has is no loss.
    guard reader.container != .numpyArray, reader.container != .hdf5 else { return }
    let whole = Array(try Data(contentsOf: MiniNetwork.file(reader.file)))
    for count in stride(from: 0, to: whole.count, by: max(1, whole.count / 200)) {
      #expect(throws: ContainerProblem.self) {
        try read(Array(whole[..<count]), reader.container, data: nil)
      }
    }
  }

  // MARK: Lies

  @Test func anEntryCannotUnpackToMoreThanDeflateCan() throws {
    var bytes = Array(try Data(contentsOf: MiniNetwork.file("mini-timm-compressed.npz")))
    let record = try #require(
      bytes.indices.first { bytes[$0...].starts(with: [0x50, 0x4B, 1, 2]) })
    bytes.replaceSubrange((record + 24)..<(record + 28), with: [0xFF, 0xFF, 0xFF, 0x7F])
    #expect(
      throws: ContainerProblem.malformed(
        "'conv_stem.weight.npy' cannot have the size that it states", offset: record)
    ) { try read(bytes, .numpyArchive, data: nil) }
  }

  @Test func absurdArraysAreRefused() throws {
    func array(_ description: String, data: Int = 8) -> [UInt8] {
      let text = Array(description.utf8)
      return [0x93] + Array("NUMPY".utf8)
        + [1, 0, UInt8(text.count & 255), UInt8(text.count >> 8)] + text
        + [UInt8](repeating: 0, count: data)
    }
    func read(_ shape: String, type: String = "<f4", data: Int = 8) throws -> Int {
      try self.read(
        array(
          "{'descr': '\(type)', 'fortran_order': False, 'shape': (\(shape)), }", data: data),
        .numpyArray, data: nil)
    }
    #expect(try read("2,") == 1)
    #expect(try read("1L, 2L") == 1)
    for shape in [
      "3,", "9223372036854775807, 4", "4294967296, 4294967296", "-1,", "99999999999999999999,",
      "1.0,",
      String(repeating: "1, ", count: 70),
    ] {
      #expect(throws: ContainerProblem.self, "\(shape)") { try read(shape) }
    }
    #expect(
      throws: ContainerProblem.unsupported(
        "its elements are of the type '<c8', which is not known here")
    ) { try read("1,", type: "<c8") }
    #expect(throws: ContainerProblem.self) {
      try self.read(array("{'descr': '<f4'"), .numpyArray, data: nil)
    }
    #expect(throws: ContainerProblem.self) {
      try self.read(Array(array("{}").prefix(9)), .numpyArray, data: nil)
    }
  }

  @Test func numbersThatAreRepeatedWithoutEndAreRefused() throws {
    let two = TensorBytes.memory([0, 0, 0, 0, 0, 0, 0, 0])
    func tensor(_ shape: [Int], _ strides: [Int]) throws -> WeightTensor {
      try WeightTensor("a", .float32, shape, two, strides: strides)
    }
    #expect(try tensor([1000, 2], [0, 1]).count == 2000)
    #expect(throws: ContainerProblem.self) { try tensor([1 << 40, 2], [0, 1]) }
    #expect(throws: ContainerProblem.self) { try tensor([2, 2], [1, 1]) }
    #expect(throws: ContainerProblem.self) { try tensor([2, 2], [1, -1]) }
    #expect(throws: ContainerProblem.self) { try tensor([2], [.max]) }
    #expect(throws: ContainerProblem.self) { try tensor([-1], [1]) }
    #expect(throws: ContainerProblem.self) { try tensor([2, 2], [1]) }
  }

  @Test func checksumsAreCompared() throws {
    #expect(Array("123456789".utf8).withUnsafeBytes { Checksum32C.of($0) } == 0xE306_9283)
    var bytes = Array(try Data(contentsOf: MiniNetwork.file("mini-google.data-00000-of-00001")))
    bytes[bytes.count / 2] ^= 1
    let index = Array(try Data(contentsOf: MiniNetwork.file("mini-google.index")))
    #expect(throws: ContainerProblem.checksum("a tensor")) {
      try read(index, .tensorFlow, data: MappedFile(copying: bytes))
    }
    var archive = Array(try Data(contentsOf: MiniNetwork.file("mini-torchvision.pth")))
    let zip = try ZipArchive(MappedFile(copying: archive))
    let entry = try #require(zip.entries.first { $0.name.hasSuffix("data/0") })
    archive[entry.packed.lowerBound] ^= 1
    #expect(throws: ContainerProblem.checksum("'\(entry.name)'")) {
      try read(archive, .torchZip, data: nil)
    }
  }

  @Test func nestingCostsNothing() throws {
    // A million lists in one another, in a pickle of as many bytes.
    let nested = [UInt8](repeating: 0x5D, count: 900_000) + [0x2E]
    #expect(throws: ContainerProblem.self) { try read(nested, .torchLegacy, data: nil) }
    let marks = [UInt8](repeating: 0x28, count: 2_000_000)
    #expect(throws: ContainerProblem.self) { try read(marks, .torchLegacy, data: nil) }
  }
}

/// A sequence that is the same in every run.
private struct SplitMix {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }

  /// A place in the first or the last few hundred of `count`.
  mutating func near(_ count: Int) -> Int {
    let distance = below(min(count, 600))
    return below(2) == 0 ? distance : count - 1 - distance
  }
}
