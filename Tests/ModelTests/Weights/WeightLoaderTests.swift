import Foundation
import Testing

@testable import Model

struct WeightLoaderTests {
  private let folder: TemporaryFolder
  private let network: Network

  init() throws {
    folder = try TemporaryFolder()
    network = try TinyWeights.network()
  }

  private func load(
    _ url: URL, _ variant: Variant = TinyWeights.variant, head: HeadPolicy = .keep,
    seed: UInt64 = 1, strict: Bool = true
  ) throws -> (network: Network, report: LoadReport) {
    try WeightLoader.load(variant, from: url, head: head, seed: seed, strict: strict)
  }

  private func write(
    _ change: (inout [TinyWeights.Tensor]) -> Void, metadata: String? = nil
  ) throws -> URL {
    var tensors = TinyWeights.tensors(network)
    change(&tensors)
    return try folder.write(TinyWeights.data(tensors, metadata: metadata))
  }

  private func misfit(_ url: URL, _ variant: Variant = TinyWeights.variant) throws -> Misfit {
    let error = #expect(throws: WeightError.self) { try load(url, variant) }
    guard case .doesNotFit(let misfit) = error else { throw CocoaError(.featureUnsupported) }
    return misfit
  }

  // MARK: What fits

  @Test func whatIsWrittenIsRead() throws {
    let url = folder.file()
    try WeightWriter.write(network, to: url)
    let loaded = try load(url)
    #expect(loaded.network.contents == network.contents)
    let names = network.parameters.table.entries.map(\.path)
    #expect(loaded.report.scheme == "timm")
    #expect(loaded.report.fileClassCount == 10)
    #expect(loaded.report.loaded == names)
    #expect(loaded.report.missing.isEmpty && loaded.report.unexpected.isEmpty)
    #expect(loaded.report.mismatched.isEmpty && loaded.report.converted.isEmpty)
    #expect(loaded.report.headReplaced == nil)
    let again = folder.file("again")
    try WeightWriter.write(loaded.network, to: again)
    #expect(try Data(contentsOf: again) == Data(contentsOf: url))
    let file = try SafeTensors.File(contentsOf: url)
    #expect(file.metadata == ["format": "pt"])
    #expect(file.tensors.map(\.name).sorted() == names.sorted())
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path).count == 2)
  }

  @Test func aFileThatCannotBeWrittenIsAnError() throws {
    #expect(throws: AtomicFile.Failure.self) {
      try WeightWriter.write(network, to: folder.file("absent/file"))
    }
  }

  @Test func numbersThatAreNoneAreLoaded() throws {
    let index = network.parameters.table["conv_stem.weight"]?.offset ?? 0
    network.parameters.weights[index] = .nan
    let url = folder.file()
    try WeightWriter.write(network, to: url)
    #expect(try load(url).network.contents == network.contents)
  }

  @Test func otherFloatsAreConverted() throws {
    for (type, round) in [
      ("F16", { Data(of: Float16($0)) }),
      ("BF16", { Data(of: UInt16(truncatingIfNeeded: $0.bitPattern >> 16)) }),
      ("F64", { Data(of: Double($0)) }),
    ] as [(String, (Float) -> Data)] {
      let url = try write { tensors in
        for index in tensors.indices where tensors[index].type == "F32" {
          let bytes = tensors[index].bytes
          tensors[index].type = type
          tensors[index].bytes = stride(from: 0, to: bytes.count, by: 4).reduce(into: Data()) {
            $0 += round(bytes.number(at: $1))
          }
        }
      }
      let loaded = try load(url)
      #expect(loaded.report.converted.count == loaded.report.loaded.count { !$0.hasSuffix("ked") })
      for info in network.parameters.table.entries where info.storage != .counters {
        let expected = network.parameters.values(info).map { value -> Float in
          switch type {
          case "F16": Float(Float16(value))
          case "BF16": Float(bitPattern: value.bitPattern & 0xFFFF_0000)
          default: value
          }
        }
        #expect(loaded.network.parameters.values(info) == expected, "\(type) \(info.path)")
      }
    }
  }

  @Test func countersMayBeAbsentOrOfAnotherForm() throws {
    let without = try write { $0.removeAll { $0.type == "I64" } }
    let loaded = try load(without)
    #expect(loaded.report.missing.isEmpty)
    #expect(loaded.network.parameters.counters[0] == 0)
    let forms = [("I32", Data(of: Int32(100))), ("F32", Data(of: Float(100)))]
    for (type, bytes) in forms {
      let url = try write { tensors in
        for index in tensors.indices where tensors[index].name == "bn1.num_batches_tracked" {
          tensors[index].type = type
          tensors[index].shape = [1]
          tensors[index].bytes = bytes
        }
      }
      #expect(try load(url).network.contents == network.contents)
    }
  }

  @Test func aCheckpointIsAFileOfWeights() throws {
    let url = try write(
      { tensors in
        var slot = tensors[0]
        slot.name = "optimizer.momentum.\(slot.name)"
        tensors.append(slot)
      }, metadata: #"{"digest":"","description":"{}"}"#)
    let loaded = try load(url)
    #expect(loaded.report.unexpected.isEmpty)
    #expect(loaded.network.contents == network.contents)
  }

  // MARK: The head

  @Test func theHeadIsKeptOrReplaced() throws {
    let url = folder.file()
    try WeightWriter.write(network, to: url)
    #expect(try load(url, head: .resize(classCount: 10)).network.contents == network.contents)

    let first = try load(url, head: .resize(classCount: 4), seed: 5)
    #expect(first.report.headReplaced?.from == 10 && first.report.headReplaced?.to == 4)
    #expect(first.report.fileClassCount == 10)
    #expect(first.report.missing.isEmpty && first.report.mismatched.isEmpty)
    #expect(first.network.blueprint.classCount == 4)
    #expect(!first.report.loaded.contains("classifier.weight"))
    #expect(
      first.network.contents == (try network.replacingHead(classCount: 4, seed: 5)).contents)
    #expect(
      try load(url, head: .resize(classCount: 4), seed: 5).network.contents
        == first.network.contents)
    #expect(
      try load(url, head: .resize(classCount: 4), seed: 6).network.contents["classifier.weight"]
        != first.network.contents["classifier.weight"])
    #expect(throws: ArchitectureError.classCount(0)) {
      try load(url, head: .resize(classCount: 0))
    }
  }

  @Test func aFileMayHaveNoHead() throws {
    let url = try write { $0.removeAll { $0.name.hasPrefix("classifier") } }
    #expect(try misfit(url).missing == ["classifier.weight", "classifier.bias"])
    let loaded = try load(url, head: .resize(classCount: 4))
    #expect(loaded.report.missing == ["classifier.weight", "classifier.bias"])
    #expect(loaded.report.headReplaced == nil && loaded.report.fileClassCount == nil)
    #expect(try load(url, strict: false).network.blueprint.classCount == 1000)
  }

  // MARK: What does not fit

  @Test func strictlyEveryDifferenceIsAnError() throws {
    let url = try write { tensors in
      tensors.removeAll { $0.name.hasPrefix("blocks.1.0.") }
      tensors[0].shape.swapAt(0, 1)
      tensors[1].type = "I32"
      tensors.append(.init(name: "extra", type: "U8", shape: [1], bytes: Data([1])))
    }
    let misfit = try misfit(url)
    #expect(misfit.missing.count == 10)
    #expect(misfit.unexpected == ["extra"])
    #expect(
      misfit.mismatched.map(\.description) == [
        "conv_stem.weight: [3, 8, 3, 3] in the file, [8, 3, 3, 3] in the network",
        "bn1.weight: I32 numbers in the file, floating point in the network",
      ])
    #expect(misfit.looksLike.isEmpty)
    let error = WeightError.doesNotFit(misfit)
    #expect(
      error.message == """
        '\(url.path)' does not fit 'tiny': 10 missing (blocks.1.0.conv_exp.weight, \
        blocks.1.0.bn1.weight, blocks.1.0.bn1.bias, blocks.1.0.bn1.running_mean, \
        blocks.1.0.bn1.running_var, …), 1 unexpected (extra), 2 of another form \
        (conv_stem.weight: [3, 8, 3, 3] in the file, [8, 3, 3, 3] in the network, \
        bn1.weight: I32 numbers in the file, floating point in the network)
        """)
    #expect(error.advice == "strict=off takes what fits and gives the rest new weights")
  }

  @Test func otherwiseWhatFitsIsTaken() throws {
    let url = try write { tensors in
      tensors.removeAll { $0.name.hasPrefix("blocks.1.0.") }
      tensors[0].shape.swapAt(0, 1)
      tensors.append(.init(name: "extra", type: "U8", shape: [1], bytes: Data([1])))
    }
    let loaded = try load(url, seed: 9, strict: false)
    #expect(loaded.report.unexpected == ["extra"])
    #expect(loaded.report.mismatched.map(\.name) == ["conv_stem.weight"])
    let new = try TinyTraining.network(seed: 9).contents
    let taken = Set(loaded.report.loaded)
    for (name, values) in loaded.network.contents {
      #expect(values == (taken.contains(name) ? network.contents[name] : new[name]), "\(name)")
    }
    #expect(!taken.contains("blocks.1.0.bn1.running_var"))
  }

  @Test func aFileWithNothingOfUseIsAnErrorAnyway() throws {
    let url = try folder.write(
      tensorFile("{\(entry("fc.weight", "F32", [1], 0, 4))}", data: Data(count: 4)))
    #expect(
      throws: WeightError.nothingFits(url.path, variant: "tiny", examples: ["fc.weight"])
    ) { try load(url, strict: false) }
  }

  @Test func anotherVariantsFileIsRecognised() throws {
    let url = folder.file()
    try TinyWeights.writeZeros(of: Variant.named("efficientnetv2_rw_t"), classes: 7, to: url)
    let misfit = try misfit(url, Variant.named("tf_efficientnetv2_b0"))
    #expect(misfit.looksLike == ["efficientnetv2_rw_t"])
    #expect(
      WeightError.doesNotFit(misfit).advice == "it looks like 'efficientnetv2_rw_t': load that")
    try TinyWeights.writeZeros(of: Variant.named("efficientnetv2_s"), classes: 1000, to: url)
    #expect(
      try self.misfit(url, Variant.named("efficientnetv2_m")).looksLike
        == [
          "efficientnetv2_s", "tf_efficientnetv2_s", "efficientnet_v2_s",
          "jahongir_efficientnetv2_s",
        ])
  }
}

extension Data {
  fileprivate init<Number>(of number: Number) {
    self = Swift.withUnsafeBytes(of: number) { Data($0) }
  }

  fileprivate func number(at offset: Int) -> Float {
    withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: Float.self) }
  }
}
