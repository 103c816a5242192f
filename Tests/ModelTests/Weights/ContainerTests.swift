import Foundation
import Testing

@testable import Model

/// What the readers of containers do beyond whole networks: types, strides, several files.
struct ContainerTests {
  private func open(_ name: String) throws -> WeightFile {
    try WeightFile.open(MiniNetwork.file(name))
  }

  private func problem(_ url: URL) -> ContainerProblem? {
    let error = #expect(throws: WeightError.self) { try WeightFile.open(url) }
    guard case .damagedContainer(url.path, _, let problem) = error else { return nil }
    #expect(error?.message.contains("\n") == false)
    return problem
  }

  @Test func viewsOfStoragesAreRead() throws {
    let file = try open("odd.pth")
    let counting = (0..<24).map { Float($0) }
    func floats(_ name: String) throws -> [Float] { try file.floats(try #require(file[name])) }
    #expect(try floats("whole") == counting)
    #expect(try floats("parameter") == counting)
    #expect(try floats("transposed") == (0..<6).flatMap { c in (0..<4).map { Float($0 * 6 + c) } })
    #expect(try floats("row") == [12, 13, 14, 15, 16, 17])
    #expect(try floats("column") == [1, 7, 13, 19])
    #expect(try floats("expanded") == Array(repeating: 3, count: 10))
    #expect(file["expanded"]?.shape == [2, 5])
    #expect(try floats("scalar") == [5] && file["scalar"]?.shape == [])
    #expect(try floats("empty").isEmpty && file["empty"]?.shape == [0, 3])
    #expect(try floats("every_other") == stride(from: Float(0), to: 24, by: 2).map { $0 })
    #expect(try floats("permuted").prefix(6) == [0, 4, 8, 12, 16, 20])
    #expect(try floats("größe") == [0, 1])
    #expect(try floats("f64") == counting.map { Float(Double($0) / 3) })
    #expect(try floats("f16") == counting.map { Float(Float16($0) / 3) })
    #expect(try file.integers(try #require(file["i64"])) == (0..<24).map { $0 - 7 })
    #expect(try file.integers(try #require(file["i32"])) == (0..<24).map { $0 })
    let types: [String: ElementType] = [
      "i16": .int16, "i8": .int8, "u8": .uint8, "bool": .bool, "u16": .uint16, "bf16": .bfloat16,
    ]
    for (name, type) in types { #expect(file[name]?.type == type, "\(name)") }
    #expect(file.tensors.count == 21)
  }

  @Test func ordersOfNumPyAreRead() throws {
    let fortran = try open("fortran.npy")
    #expect(try fortran.floats(fortran.tensors[0]) == [0, 1, 2, 3, 4, 5])
    #expect(fortran.tensors[0].shape == [2, 3] && fortran.tensors[0].type == .float64)
    let big = try open("big-endian.npy")
    #expect(try big.floats(big.tensors[0]) == [0, 1, 2, 3, 4, 5])
    #expect(big.tensors[0].isBigEndian)
  }

  @Test func averagesStandBesideWhatTheyAverage() throws {
    let file = try open("mini-google.index")
    let name = "efficientnetv2-mini/stem/conv2d/kernel"
    #expect(try file.floats(try #require(file[name])).allSatisfy { $0 == 0 })
    #expect(file["\(name)/ExponentialMovingAverage"]?.shape == [3, 3, 3, 8])
    #expect(file["global_step"]?.type == .int64)
    #expect(try file.integer(try #require(file["global_step"])) == 100)
  }

  @Test func nothingIsEverRun() throws {
    let file = MiniNetwork.file("evil.pth")
    #expect(
      problem(file) == .pickle(.forbiddenGlobal(name: "posix.system", offset: 188)))
    let error = #expect(throws: WeightError.self) { try WeightFile.open(file) }
    #expect(error?.message.contains("'posix.system' at offset 188") == true)
    #expect(error?.advice?.hasPrefix("nothing of it was run") == true)
    #expect(!FileManager.default.fileExists(atPath: "/tmp/workbench-was-here"))
    // A stranger that is only named, beside plain tensors, is as suspicious.
    let pickle = "\u{80}\u{2}cos\nsystem\nq\u{0}."
    let text = Array(pickle.unicodeScalars.map { UInt8($0.value) })
    var offset = 0
    let document = try text.withUnsafeBytes { bytes in
      try PickleReader.read(
        bytes, at: &offset,
        rules: PickleRules(allowed: PickleGlobal.torch, acceptsInertClasses: true))
    }
    #expect(document.strangers == [PickleGlobal("os", "system"): 2])
    for call in [
      "cos\nsystem\n)R.", "cos\nsystem\nN\u{85}\u{81}.", "(ios\nsystem\n.", "(cos\nsystem\no.",
    ] {
      let bytes = Array(call.unicodeScalars.map { UInt8($0.value) })
      #expect(throws: PickleError.self) {
        var offset = 0
        _ = try bytes.withUnsafeBytes {
          try PickleReader.read(
            $0, at: &offset,
            rules: PickleRules(allowed: PickleGlobal.torch, acceptsInertClasses: true))
        }
      }
    }
  }

  @Test func shardsAreOneFile() throws {
    let folder = try TemporaryFolder()
    let network = try TinyWeights.network()
    let tensors = TinyWeights.tensors(network)
    let middle = tensors.count / 2
    try folder.write(TinyWeights.data(Array(tensors[..<middle])), to: "hub/a.safetensors")
    try folder.write(TinyWeights.data(Array(tensors[middle...])), to: "hub/b.safetensors")
    func index(_ pieces: [String: String]) throws -> URL {
      let map = pieces.map { "\"\($0)\":\"\($1)\"" }.joined(separator: ",")
      return try folder.write(
        Data("{\"weight_map\":{\(map)}}".utf8), to: "hub/model.safetensors.index.json")
    }
    var pieces: [String: String] = [:]
    for (place, tensor) in tensors.enumerated() {
      pieces[tensor.name] = place < middle ? "a.safetensors" : "b.safetensors"
    }
    let url = try index(pieces)
    for place in [url, folder.file("hub")] {
      let loaded = try WeightLoader.load(
        TinyWeights.variant, from: place, head: .keep, seed: 1, strict: true)
      #expect(loaded.network.contents == network.contents)
      #expect(loaded.report.container == .safeTensorsShards)
    }
    pieces["absent"] = "a.safetensors"
    #expect(problem(try index(pieces)) == .absent("'absent', which the index lists,"))
    for odd in ["../a.safetensors", "/etc/passwd", ".hidden"] {
      #expect(
        problem(try index(["x": odd]))
          == .unsupported("its index leads to another folder: '\(odd)'"))
    }
    try folder.write(Data("[]".utf8), to: "hub/model.safetensors.index.json")
    #expect(problem(url) == .malformed("no 'weight_map' with a file for each tensor", offset: 0))
  }

  @Test func aFolderStandsForTheFileInIt() throws {
    let folder = try TemporaryFolder()
    let data = try Data(contentsOf: MiniNetwork.file("mini-parallel.pth"))
    try folder.write(data, to: "hub/pytorch_model.bin")
    try folder.write(Data("{}".utf8), to: "hub/config.json")
    #expect(try WeightFile.open(folder.file("hub")).container == .torchZip)
    for part in ["index", "data-00000-of-00001"] {
      let bytes = try Data(contentsOf: MiniNetwork.file("mini-google.\(part)"))
      try folder.write(bytes, to: "tf/model.\(part)")
    }
    try folder.write(Data("model_checkpoint_path: \"model\"".utf8), to: "tf/checkpoint")
    #expect(try WeightFile.open(folder.file("tf")).container == .tensorFlow)
    #expect(try WeightFile.open(folder.file("tf/model")).tensors.count == 131)
    try FileManager.default.removeItem(at: folder.file("tf/model.data-00000-of-00001"))
    guard case .absent? = problem(folder.file("tf/model.index")) else {
      Issue.record("the data file is not there")
      return
    }
    try folder.write(data, to: "two/a.pth")
    try folder.write(data, to: "two/b.pth")
    #expect(
      throws: WeightError.directory(
        folder.file("two").path, contents: .several(["a.pth", "b.pth"]))
    ) { try WeightFile.open(folder.file("two")) }
    try folder.write(data, to: "empty/readme.txt")
    #expect(throws: WeightError.directory(folder.file("empty").path, contents: .other)) {
      try WeightFile.open(folder.file("empty"))
    }
  }

  @Test func whatIsNoFileOfWeightsIsNamed() throws {
    let folder = try TemporaryFolder()
    let page = try folder.write(Data("<!DOCTYPE html><html>".utf8), to: "a.pth")
    #expect(throws: WeightError.foreignFormat(page.path, .webPage)) { try WeightFile.open(page) }
    let zip = try folder.write(Data([0x50, 0x4B, 3, 4, 0, 0]), to: "a.zip")
    #expect(throws: WeightError.foreignFormat(zip.path, .zip)) { try WeightFile.open(zip) }
    let pickle = try folder.write(Data([0x80, 2, 0x4B, 1, 0x2E]), to: "a.pkl")
    #expect(problem(pickle) == .unsupported("it is a pickle, but none of torch.save"))
    #expect(throws: WeightError.unknownFormat("/a/b.onnx")) {
      try WeightFormat(of: URL(fileURLWithPath: "/a/b.onnx"))
    }
  }
}
